// Command image makes the archive of an image that holds one static binary and nothing else, for docker load, kind load
// image-archive and the like. It needs no container engine, no network and no base image, and of the same binary it makes the same
// archive, bit for bit. Whoever wants another base builds with the Dockerfile.
package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// maxSize is what an image may hold, in bytes: what it takes to pull it counts whenever a node is new.
const maxSize = 60_000_000

// user is nobody in particular: the chart and Pod Security want one that is not root.
const user = "65532:65532"

func main() {
	arch := flag.String("arch", "amd64", "Architecture that the binary is for.")
	tag := flag.String("tag", "", "Name of the image, such as fanout:dev.")
	version := flag.String("version", "", "Version, for the image's labels.")
	revision := flag.String("revision", "", "Commit, for the image's labels.")
	output := flag.String("output", "", "Archive to write.")
	flag.Parse()
	if err := run(flag.Arg(0), *arch, *tag, *version, *revision, *output); err != nil {
		fmt.Fprintf(os.Stderr, "image: %v\n", err)
		os.Exit(1)
	}
}

func run(binary, arch, tag, version, revision, output string) error {
	if binary == "" || tag == "" || output == "" {
		return errors.New("say what to put into which archive: image -tag fanout:dev -output fanout.tar BINARY")
	}
	reference, err := name.NewTag(tag)
	if err != nil {
		return err
	}
	if err := mustBeStatic(binary); err != nil {
		return err
	}
	layer, size, err := layerOf(binary)
	if err != nil {
		return err
	}
	if size > maxSize {
		return fmt.Errorf("%s has %d bytes, and an image may have %d", binary, size, maxSize)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config = v1.Config{
		User: user, Entrypoint: []string{"/" + filepath.Base(binary)},
		Labels: map[string]string{
			"org.opencontainers.image.title":    filepath.Base(binary),
			"org.opencontainers.image.version":  version,
			"org.opencontainers.image.revision": revision,
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return err
	}
	if err := tarball.WriteToFile(output, reference, image); err != nil {
		return fmt.Errorf("write %s: %w", output, err)
	}
	fmt.Printf("%s: %s for linux/%s, %.1f MB, as user %s\n", output, tag, arch, float64(size)/1e6, user)
	return nil
}

// mustBeStatic refuses a binary that needs a loader and libraries, which the image lacks.
func mustBeStatic(binary string) error {
	file, err := elf.Open(binary)
	if err != nil {
		return fmt.Errorf("%s is no program for Linux: %w", binary, err)
	}
	defer file.Close()
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs libraries, which the image lacks: build it with CGO_ENABLED=0", binary)
		}
	}
	return nil
}

// layerOf holds the binary alone, with no time in it.
func layerOf(binary string) (v1.Layer, int64, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, 0, err
	}
	var text bytes.Buffer
	archive := tar.NewWriter(&text)
	err = archive.WriteHeader(&tar.Header{Name: filepath.Base(binary), Mode: 0o755, Size: int64(len(content)), Format: tar.FormatUSTAR})
	if err != nil {
		return nil, 0, err
	}
	if _, err := archive.Write(content); err != nil {
		return nil, 0, err
	}
	if err := archive.Close(); err != nil {
		return nil, 0, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text.Bytes())), nil })
	return layer, int64(text.Len()), err
}
