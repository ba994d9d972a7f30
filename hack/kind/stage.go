package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
)

// stage is the clusters, and how they are reached.
type stage struct {
	ctx      context.Context
	root     string   // the clone's folder
	members  []string // their names
	provider *cluster.Provider
	helm     string
	out      io.Writer
	began    time.Time
}

// newStage fails if something is missing that it takes to make clusters, and says what.
func newStage(ctx context.Context, root string, members []string, out io.Writer) (*stage, error) {
	s := &stage{ctx: ctx, root: root, members: members, out: out, began: time.Now(), helm: filepath.Join(root, "bin", "helm")}
	var missing []string
	for _, program := range []string{"docker", "kubectl"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program)
		}
	}
	if _, err := os.Stat(s.helm); err != nil {
		if s.helm, err = exec.LookPath("helm"); err != nil {
			missing = append(missing, "helm (or make helm)")
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("clusters on kind need Docker, kubectl and Helm on the PATH, and there is no %s. What needs none of these: make demo, make test", strings.Join(missing, ", no "))
	}
	if slices.Contains(members, hub) {
		return nil, errors.New("a member can't be called hub, which is the hub's cluster")
	}
	s.provider = cluster.NewProvider(cluster.ProviderWithDocker())
	if output, err := exec.CommandContext(ctx, "docker", "info", "--format", "{{.ServerVersion}}").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("no Docker answers, which clusters on kind run in: start it, or set DOCKER_HOST. It said: %s", bytes.TrimSpace(output))
	}
	return s, nil
}

func (s *stage) clusters() []string { return append([]string{hub}, s.members...) }

// folder is where the kubeconfigs are.
func (s *stage) folder() string { return filepath.Join(s.root, "out", "kind") }

func (s *stage) kubeconfig() string { return filepath.Join(s.folder(), "kubeconfig") }

// say tells a step, and when it began.
func (s *stage) say(format string, args ...any) {
	elapsed := time.Since(s.began).Round(time.Second)
	fmt.Fprintf(s.out, "%3dm%02ds  %s\n", int(elapsed.Minutes()), int(elapsed.Seconds())%60, fmt.Sprintf(format, args...))
}

// do runs a command in the clone, and shows what it says only if it fails.
func (s *stage) do(program string, args ...string) error {
	command := exec.CommandContext(s.ctx, program, args...)
	command.Dir = s.root
	command.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig())
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, bytes.TrimSpace(output))
	}
	return nil
}

func (s *stage) kubectl(cluster string, args ...string) error {
	return s.do("kubectl", append([]string{"--context", "kind-" + cluster}, args...)...)
}

// until does something again until it succeeds, for no longer than a minute.
func (s *stage) until(do func() error) error {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for {
		err := do()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// up makes what is not there yet. A bare one has the clusters and what is to be in them before fanout.
func (s *stage) up(bare bool) error {
	s.noteLimits()
	images, err := s.buildImages()
	if err != nil {
		return err
	}
	if err := s.each(func(name string) error { return s.upCluster(name, images) }); err != nil {
		return err
	}
	if !bare {
		if err := s.install(); err != nil {
			return err
		}
	}
	s.say("Up. export KUBECONFIG=%s, and kubectl --context kind-hub get canaries -A", s.kubeconfig())
	return nil
}

// noteLimits says so where the kernel lets one user watch few files: what runs in the nodes is root's, and beyond the limit some of it
// fails with "too many open files".
func (s *stage) noteLimits() {
	const each, name = 35, "fs.inotify.max_user_instances"
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return // no Linux, where Docker has a machine of its own
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if need := each * len(s.clusters()); err == nil && limit < need {
		s.say("%s is %d, and %d clusters need up to %d. If one does not come up: sysctl -w %s=512, as root", name, limit, len(s.clusters()), need, name)
	}
}

func (s *stage) upCluster(name string, images []image) error {
	if err := s.makeCluster(name); err != nil {
		return err
	}
	if err := s.loadInto(name, images); err != nil {
		return err
	}
	return s.installChecker(name)
}

// load brings the images as they are now into the clusters.
func (s *stage) load() error {
	images, err := s.buildImages()
	if err != nil {
		return err
	}
	return s.each(func(name string) error {
		if err := s.mustBeOurs(name); err != nil {
			return err
		}
		return s.loadInto(name, images)
	})
}

// each does something to each cluster, to two at a time: more only wait for each other where there are few cores.
func (s *stage) each(do func(cluster string) error) error {
	names, faults := make(chan string), make(chan error)
	for range 2 {
		go func() {
			for name := range names {
				faults <- do(name)
			}
		}()
	}
	go func() {
		defer close(names)
		for _, name := range s.clusters() {
			names <- name
		}
	}()
	var all []error
	for range s.clusters() {
		all = append(all, <-faults)
	}
	return errors.Join(all...)
}
