package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"fanout/pkg/fanout/derive"
	"fanout/test/controlplane"
)

// stage is the clusters of the story, with fanout at work in them.
type stage struct {
	dir     string
	binary  string // bin/fanout
	planes  *controlplane.Set
	hub     *cluster
	members []*cluster
	secrets *mirror // the hub's, that register members
	checkers
	fanout     *process
	controller string // the address at which fanout tells what it knows
	hubID      string

	changed      chan struct{} // a mirror has changed
	stopMirrors  context.CancelFunc
	registered   map[string]bool
	bystander    *unstructured.Unstructured // as it was before fanout came
	parent       *unstructured.Unstructured // the Canary in the hub, nil while there is none
	lastCanaries map[string]objects         // by cluster, at the end of the last step
}

// cluster is one control plane with its Canaries.
type cluster struct {
	name     string
	client   dynamic.Interface
	canaries *mirror
}

func newStage(dir string) *stage {
	return &stage{
		dir: dir, registered: map[string]bool{}, lastCanaries: map[string]objects{},
		changed: make(chan struct{}, 1), stopMirrors: func() {},
	}
}

// open builds what is missing and starts everything, up to the members that fanout is connected to.
func (s *stage) open(ctx context.Context, screen *screen) error {
	root, err := repoRoot(ctx)
	if err != nil {
		return err
	}
	s.binary = filepath.Join(root, "bin", "fanout")
	screen.progress("building bin/fanout")
	if err := build(ctx, root, s.binary, screen.out); err != nil {
		return err
	}
	begin := time.Now()
	screen.progress("starting five control planes: %s, %s, %s, %s and %s", hubName, euWest, usEast, apSouth, euNorth)
	s.planes, err = controlplane.Start(ctx, controlplane.Options{
		Dir: s.dir, Names: []string{hubName, euWest, usEast, apSouth, euNorth}, Log: screen.indented(),
	})
	if err != nil {
		return err
	}
	for _, prepare := range []func(context.Context) error{
		s.connect,
		func(ctx context.Context) error { return s.installCRD(ctx, crdFile(root)) },
		s.furnish,
		s.watch,
		s.startServices,
		s.startCheckers,
		s.awaitBystander,
		s.writeKubeconfig,
	} {
		if err := prepare(ctx); err != nil {
			return err
		}
	}
	screen.progress("all up, with the Canary CRD and a stand-in for canary-checker in each, after %.1f s", time.Since(begin).Seconds())
	return s.startFanout(ctx, screen)
}

// close stops all that runs.
func (s *stage) close() error {
	var errs []error
	if s.fanout != nil {
		errs = append(errs, s.fanout.stop())
	}
	s.checkers.close()
	s.stopMirrors()
	if s.planes != nil {
		errs = append(errs, s.planes.Stop())
	}
	return errors.Join(errs...)
}

func (s *stage) member(name string) *cluster {
	for _, m := range s.members {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (s *stage) all() []*cluster { return append([]*cluster{s.hub}, s.members...) }

// each does something in all clusters at once.
func (s *stage) each(do func(*cluster) error) error {
	all := s.all()
	errs := make(chan error, len(all))
	for _, c := range all {
		go func() { errs <- do(c) }()
	}
	var failed error
	for range all {
		failed = errors.Join(failed, <-errs)
	}
	return failed
}

func (s *stage) connect(context.Context) error {
	for _, name := range []string{hubName, euWest, usEast, apSouth, euNorth} {
		client, err := dynamic.NewForConfig(s.planes.Cluster(name).Config)
		if err != nil {
			return err
		}
		c := &cluster{name: name, client: client, canaries: &mirror{resource: client.Resource(derive.Canaries)}}
		if name == hubName {
			s.hub = c
			s.secrets = &mirror{resource: client.Resource(secrets).Namespace(membersNamespace)}
		} else {
			s.members = append(s.members, c)
		}
	}
	return nil
}

func (s *stage) installCRD(ctx context.Context, file string) error {
	return s.each(func(c *cluster) error { return s.planes.Cluster(c.name).InstallCRD(ctx, file) })
}

// furnish puts in place what the story takes for granted: namespaces in the hub, and a Canary that is not fanout's.
func (s *stage) furnish(ctx context.Context) error {
	inHub, inMember := s.hub, s.member(bystanderCluster)
	if err := errors.Join(
		inHub.createNamespace(ctx, membersNamespace),
		inHub.createNamespace(ctx, checksNamespace),
		inMember.createNamespace(ctx, checksNamespace),
		inMember.apply(bystander).do(ctx),
	); err != nil {
		return err
	}
	kubeSystem, err := inHub.client.Resource(namespaces).Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return err
	}
	s.hubID = string(kubeSystem.GetUID())
	return nil
}

func (s *stage) readBystander(ctx context.Context) (*unstructured.Unstructured, error) {
	return s.member(bystanderCluster).checks().Get(ctx, bystanderName, metav1.GetOptions{})
}

// watch starts the mirrors, which run until close.
func (s *stage) watch(ctx context.Context) error {
	ctx, s.stopMirrors = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.secrets.follow(ctx, s.changed); err != nil {
		return err
	}
	for _, c := range s.all() {
		if err := c.canaries.follow(ctx, s.changed); err != nil {
			return err
		}
		s.lastCanaries[c.name], _, _ = c.canaries.now()
	}
	return nil
}

// kubeconfig is a file with a context for each cluster, the hub's being the current one.
func (s *stage) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

// writeKubeconfig makes one file of all the kubeconfigs, with a context for each cluster.
func (s *stage) writeKubeconfig(context.Context) error {
	merged := clientcmdapi.NewConfig()
	for _, c := range s.all() {
		one, err := clientcmd.Load(s.planes.Cluster(c.name).Kubeconfig)
		if err != nil {
			return err
		}
		current := one.Contexts[one.CurrentContext]
		merged.Clusters[c.name], merged.AuthInfos[c.name] = one.Clusters[current.Cluster], one.AuthInfos[current.AuthInfo]
		merged.Contexts[c.name] = &clientcmdapi.Context{Cluster: c.name, AuthInfo: c.name}
	}
	merged.CurrentContext = hubName
	if err := os.WriteFile(filepath.Join(s.dir, "check.yaml"), []byte(check), 0o600); err != nil {
		return err
	}
	return clientcmd.WriteToFile(*merged, s.kubeconfig())
}

// startFanout registers the members that are there from the start and runs fanout until it is connected to them.
func (s *stage) startFanout(ctx context.Context, screen *screen) (err error) {
	opening := step{joins: []string{euWest, usEast, apSouth}}
	for _, member := range opening.joins {
		for _, edit := range s.register(member) {
			if err := edit.do(ctx); err != nil {
				return err
			}
		}
	}
	command := []string{
		s.binary, "controller", "--kubeconfig", filepath.Join(s.dir, hubName+".kubeconfig"),
		"--cluster-namespace", membersNamespace, "--bind-address", "127.0.0.1:0", "--api-bind-address", "127.0.0.1:0", "-v", "2",
	}
	screen.progress("starting fanout: bin/fanout %s", strings.Join(command[1:], " "))
	begin := time.Now()
	if s.fanout, err = start(filepath.Join(s.dir, "fanout.log"), command...); err != nil {
		return err
	}
	took, err := s.settle(ctx, begin, opening, func() {})
	if err != nil {
		return fmt.Errorf("start fanout: %w\n\nThe end of its log:\n%s", err, s.fanout.lastLines())
	}
	if s.controller, err = s.fanout.tells(); err != nil {
		return err
	}
	screen.progress("fanout is connected to three members after %.1f s", took.whole.Seconds())
	screen.progress("watch what follows in a browser: %s", s.controller)
	return nil
}
