package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
)

// image is one that nodes are to have, and its archive.
type image struct{ name, id, archive string }

// checkerImage is that of the stand-in for canary-checker, as checker.yaml has it.
const checkerImage = "canarychecker:dev"

// buildImages makes the images of fanout, under the name that the chart asks for, and of the stand-in for canary-checker.
func (s *stage) buildImages() ([]image, error) {
	s.say("Building fanout, its image and that of a stand-in for canary-checker")
	if err := s.do("make", "build"); err != nil {
		return nil, err
	}
	fanout, err := s.chartImage()
	if err != nil {
		return nil, err
	}
	var images []image
	for _, each := range []struct{ source, name string }{{"./cmd/fanout", fanout}, {"./hack/canarychecker", checkerImage}} {
		if err := s.do("hack/image/build.sh", each.source, each.name, "out/kind/images", runtime.GOARCH); err != nil {
			return nil, err
		}
		archive := filepath.Join(s.folder(), "images", fmt.Sprintf("%s-linux-%s.tar", filepath.Base(each.source), runtime.GOARCH))
		id, err := idOf(archive)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", archive, err)
		}
		images = append(images, image{each.name, id, archive})
	}
	return images, nil
}

// idOf is the ID by which nodes know the image in an archive.
func idOf(archive string) (string, error) {
	file, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer file.Close()
	for reader := tar.NewReader(file); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("it has no manifest.json")
		}
		if err != nil {
			return "", err
		}
		if header.Name != "manifest.json" {
			continue
		}
		var manifests []struct{ Config string }
		if err := json.NewDecoder(reader).Decode(&manifests); err != nil || len(manifests) != 1 {
			return "", fmt.Errorf("it holds %d images: %w", len(manifests), err)
		}
		return manifests[0].Config, nil
	}
}

// loadInto brings the images into each node that has not the same ones already, and has what runs in the cluster use them.
func (s *stage) loadInto(name string, images []image) error {
	nodes, err := s.provider.ListInternalNodes(name)
	if err != nil {
		return fmt.Errorf("list the nodes of %s: %w", name, err)
	}
	loaded := false
	for _, node := range nodes {
		for _, image := range images {
			if id, err := nodeutils.ImageID(node, image.name); err == nil && id == image.id {
				continue
			}
			s.say("%s: loading %s into %s", name, image.name, node)
			archive, err := os.Open(image.archive)
			if err != nil {
				return err
			}
			err = nodeutils.LoadImageArchive(node, archive)
			archive.Close()
			if err != nil {
				return fmt.Errorf("load %s into %s: %w", image.name, node, err)
			}
			loaded = true
		}
	}
	if !loaded {
		return nil
	}
	return s.kubectl(name, "delete", "pods", "--all-namespaces", "--wait=false", "--selector", "app.kubernetes.io/name in (fanout,canarychecker)")
}
