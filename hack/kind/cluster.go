package main

import (
	"bytes"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
	"sigs.k8s.io/kind/pkg/exec"
)

// ready is how long a new cluster may take.
const ready = 5 * time.Minute

// exists tells whether there is a cluster of that name.
func (s *stage) exists(name string) (bool, error) {
	there, err := s.provider.List()
	if err != nil {
		return false, fmt.Errorf("list the clusters on kind: %w", err)
	}
	return slices.Contains(there, name), nil
}

// mark is the file in a node that names the clone that made the cluster.
const mark = "/kind/made-for-fanout-in"

// mustBeOurs refuses a cluster that was not made from this clone, so that nobody's work is touched.
func (s *stage) mustBeOurs(name string) error {
	nodes, err := s.provider.ListInternalNodes(name)
	if err != nil {
		return fmt.Errorf("list the nodes of %s: %w", name, err)
	}
	for _, node := range nodes {
		// By docker cp, which also reads what is in a container that is paused or has stopped.
		copied, err := osexec.CommandContext(s.ctx, "docker", "cp", node.String()+":"+mark, "-").Output()
		if err != nil || !bytes.Contains(copied, []byte("\x00"+s.root+"\n\x00")) {
			return fmt.Errorf("there is a cluster %s on kind that was not made from this clone, and it is left alone. If nobody needs it: kind delete cluster --name %s", name, name)
		}
	}
	return nil
}

// makeCluster makes sure of a cluster that works, with its context in the kubeconfig.
func (s *stage) makeCluster(name string) error {
	there, err := s.exists(name)
	if err != nil {
		return err
	}
	if there {
		if err := s.mustBeOurs(name); err != nil {
			return err
		}
		s.say("%s: is there", name)
		if err := s.revive(name); err != nil {
			return err
		}
	} else if err := s.create(name); err != nil {
		return err
	}
	if err := s.export(name); err != nil {
		return err
	}
	// The cluster's DNS, without which no pod finds a member, comes up after the node.
	return s.kubectl(name, "--namespace", "kube-system", "rollout", "status", "deployment/coredns", "--timeout", ready.String())
}

func (s *stage) create(name string) error {
	s.say("%s: making the cluster", name)
	if err := os.MkdirAll(s.folder(), 0o755); err != nil {
		return err
	}
	options := []cluster.CreateOption{
		cluster.CreateWithWaitForReady(ready),
		cluster.CreateWithKubeconfigPath(filepath.Join(s.folder(), name+".kubeconfig")),
	}
	if image := os.Getenv("KIND_NODE_IMAGE"); image != "" {
		options = append(options, cluster.CreateWithNodeImage(image))
	}
	if config := os.Getenv("KIND_CONFIG"); config != "" {
		options = append(options, cluster.CreateWithConfigFile(config))
	}
	if err := s.provider.Create(name, options...); err != nil {
		if failed := exec.RunErrorForError(err); failed != nil { // what the program in the node said, of which the error says nothing
			err = fmt.Errorf("%w\n%s", err, lastLines(failed.Output, 30))
		}
		return fmt.Errorf("make the cluster %s: %w. On a machine without a registry, KIND_NODE_IMAGE and KIND_CONFIG say what to make nodes of", name, err)
	}
	nodes, err := s.provider.ListInternalNodes(name)
	if err != nil {
		return fmt.Errorf("list the nodes of %s: %w", name, err)
	}
	for _, node := range nodes {
		if err := nodeutils.WriteFile(node, mark, s.root+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func lastLines(text []byte, count int) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-count):], []byte("\n"))
}

// revive has the nodes of a cluster run that were stopped or paused.
func (s *stage) revive(name string) error {
	nodes, err := s.provider.ListInternalNodes(name)
	if err != nil {
		return fmt.Errorf("list the nodes of %s: %w", name, err)
	}
	for _, node := range nodes {
		output, err := osexec.CommandContext(s.ctx, "docker", "inspect", "--format", "{{.State.Status}}", node.String()).Output()
		if err != nil {
			return fmt.Errorf("look at the container %s: %w", node, err)
		}
		switch status := strings.TrimSpace(string(output)); status {
		case "running":
			continue
		case "paused":
			s.say("%s: going on with %s, which was paused", name, node)
			err = s.do("docker", "unpause", node.String())
		default:
			s.say("%s: starting %s, which was %s", name, node, status)
			err = s.do("docker", "start", node.String())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// exporting is held while the common kubeconfig is written.
var exporting sync.Mutex

func (s *stage) export(name string) error {
	exporting.Lock()
	defer exporting.Unlock()
	if err := s.provider.ExportKubeConfig(name, s.kubeconfig(), false); err != nil {
		return fmt.Errorf("write the kubeconfig of %s: %w", name, err)
	}
	// kind makes the last one the current context, and the hub is what people mean.
	if there, err := s.exists(hub); err == nil && there && name != hub {
		return s.provider.ExportKubeConfig(hub, s.kubeconfig(), false)
	}
	return nil
}

// down deletes the clusters, and what was known of them.
func (s *stage) down() error {
	return s.each(func(name string) error {
		there, err := s.exists(name)
		if err != nil {
			return err
		}
		if there {
			if err := s.mustBeOurs(name); err != nil {
				return err
			}
			s.say("%s: deleting the cluster", name)
			exporting.Lock()
			defer exporting.Unlock()
			if err := s.provider.Delete(name, s.kubeconfig()); err != nil {
				return fmt.Errorf("delete the cluster %s: %w", name, err)
			}
		}
		if err := os.Remove(filepath.Join(s.folder(), name+".kubeconfig")); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	})
}
