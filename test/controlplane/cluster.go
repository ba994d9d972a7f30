package controlplane

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Cluster is one control plane: an API server with its etcd, without nodes and without controllers. So no one collects
// garbage there, and a deleted namespace stays in Terminating.
type Cluster struct {
	Name string
	// Kubeconfig is the administrator's, complete in itself. It stays valid over restarts.
	Kubeconfig []byte
	// Config is for the same identity, with no limit on the rate of requests. Treat it as read-only.
	Config *rest.Config

	binary, dir string
	complete    bool
	large       bool

	mu      sync.Mutex // held while the process is started or stopped
	process *process   // nil when stopped

	installing sync.Mutex // held while a CRD is installed
	installed  installation

	audited audited
}

// KubeconfigFor returns a kubeconfig with a new client certificate for user in groups, for whom RBAC allows nothing yet.
func (c *Cluster) KubeconfigFor(ctx context.Context, user string, groups ...string) ([]byte, error) {
	args := []string{"kubeconfig", "--dir", c.dir, "--user", user}
	for _, group := range groups {
		args = append(args, "--group", group)
	}
	data, err := exec.CommandContext(ctx, c.binary, append(args, c.Name)...).Output()
	if err != nil {
		return nil, fmt.Errorf("issue kubeconfig for %s: %w", user, err)
	}
	return data, nil
}

// LogFile is where the API server and etcd write what they do.
func (c *Cluster) LogFile() string {
	return filepath.Join(c.dir, c.Name, "apiserver.log")
}

func (c *Cluster) auditLog() string {
	return filepath.Join(c.dir, c.Name, "audit.log")
}

func (c *Cluster) readKubeconfig(kubeconfig []byte) error {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return err
	}
	// The client's own rate limit would be the first thing that a test of many objects measures.
	config.QPS = -1
	c.Kubeconfig, c.Config = kubeconfig, config
	return nil
}
