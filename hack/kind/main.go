// Command kind makes a hub and members on kind with fanout at work in them, and takes them down again:
//
//	go run . up [MEMBER...]       # clusters, canary-checker's CRD and a stand-in for it, fanout's chart, the members registered
//	go run . load [MEMBER...]     # fanout and the stand-in as they are now, into clusters that are up
//	go run . down [MEMBER...]     # delete the clusters
//
// Each can be typed again, and does what is not done yet. make kind-up and so on call it. The clusters are called hub and by the
// members' names; one of such a name that was not made from this clone is left alone.
//
// KIND_NODE_IMAGE and KIND_CONFIG say what the nodes are made of, where it is not to be kind's own image. CANARY_CRD names a file
// with canary-checker's CRD. DOCKER_HOST and KUBECONFIG are not changed: out/kind/kubeconfig has the contexts kind-hub and
// kind-MEMBER.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// hub is the name of the hub's cluster.
const hub = "hub"

// usualMembers are those that are made when none are named.
var usualMembers = []string{"eu-west-prod", "us-east-prod", "ap-south-dev"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "kind:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("kind", flag.ContinueOnError)
	flags.SetOutput(stderr)
	bare := flags.Bool("bare", false, "up: leave out the chart and registering, as for make e2e, which does that itself.")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: kind [-bare] up|load|down [MEMBER...]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	root, err := repository()
	if err != nil {
		return err
	}
	members := flags.Args()
	if len(members) > 0 {
		members = members[1:]
	}
	if len(members) == 0 {
		members = usualMembers
	}
	s, err := newStage(ctx, root, members, stdout)
	if err != nil {
		return err
	}
	switch command := flags.Arg(0); command {
	case "up":
		return s.up(*bare)
	case "load":
		return s.load()
	case "down":
		return s.down()
	default:
		flags.Usage()
		return flag.ErrHelp
	}
}

// repository is the folder of fanout's clone, in which this is run.
func repository() (string, error) {
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	root, ok := strings.CutSuffix(strings.TrimSpace(string(output)), filepath.Join("hack", "kind"))
	if err != nil || !ok {
		return "", errors.New("run it in fanout's clone: go -C hack/kind run . up")
	}
	return filepath.Clean(root), nil
}
