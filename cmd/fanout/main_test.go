package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
)

func TestMain(m *testing.M) {
	// A process sets up its logging once; each test of run does.
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
	goleak.VerifyTestMain(m)
}

// runFanout is the command in this process.
func runFanout(t *testing.T, ctx context.Context, args ...string) (code int, out, errOut string) {
	t.Helper()
	t.Cleanup(klog.StopFlushDaemon) // which the process has for as long as it lives
	var stdout, stderr strings.Builder
	code = run(ctx, "fanout", args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// controller is the arguments of a controller that would find no hub.
func controller(args ...string) []string {
	return append([]string{"controller", "--kubeconfig=/does/not/exist", "--bind-address=127.0.0.1:0", "--api-bind-address=127.0.0.1:0"}, args...)
}

func says(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q:\n%s", what, part, text)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, errOut := runFanout(t, t.Context(), "version")
	if code != 0 || errOut != "" || !strings.HasPrefix(out, "fanout v") || strings.Count(out, "\n") != 1 {
		t.Errorf("code %d, %q, %q", code, out, errOut)
	}
	says(t, "version", out, "commit ", "go1.", "/")
	if name, version, ok := strings.Cut(userAgent(), "/"); !ok || name != "fanout" || !strings.Contains(out, "fanout "+version+",") {
		t.Errorf("the user agent is %q", userAgent())
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"-h"}, {"help"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			code, out, errOut := runFanout(t, t.Context(), args...)
			if code != 0 || errOut != "" {
				t.Errorf("code %d, %q", code, errOut)
			}
			says(t, "help", out, "Usage:", "controller", "register", "deregister", "check", "release", "version")
		})
	}
}

func TestHelpOfTheControllerHasItsFlagsInSections(t *testing.T) {
	for _, args := range [][]string{{"controller", "--help"}, {"controller", "-h"}, {"help", "controller"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			code, out, errOut := runFanout(t, t.Context(), args...)
			if code != 0 || errOut != "" {
				t.Errorf("code %d, %q", code, errOut)
			}
			at := 0
			for _, section := range []string{
				"Hub flags:", "--cluster-namespace", "--kubeconfig", "--mirror", "--registration", "--resync-period",
				"Members flags:", "--concurrent-syncs", "--create-namespaces", "--deregister-timeout", "--orphan-sweep-period",
				"--probe-failure-threshold", "--probe-period", "--probe-timeout", "--request-timeout",
				"Serving flags:", "--api-bind-address", "--bind-address", "--shutdown-timeout",
				"Leader election flags:", "--leader-elect",
				"Logs flags:", "--logging-format",
			} {
				found := strings.Index(out[at:], section)
				if found < 0 {
					t.Fatalf("%q does not come after %q:\n%s", section, out[:at], out)
				}
				at += found
			}
		})
	}
}

func TestAFaultOfTheCommandLine(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		says []string
	}{
		{"unknown command", []string{"frobnicate"}, []string{`"frobnicate"`, "'fanout --help'"}},
		{"mistyped command", []string{"controler"}, []string{`"controler"`, "did you mean fanout controller?", "'fanout --help'"}},
		{"register without a name", []string{"register"}, []string{"name", "'fanout register --help'"}},
		{"register without a member", []string{"register", "eu-west-prod"}, []string{"--member-context"}},
		{"register of local", []string{"register", "local", "--member-context=x"}, []string{`"local" means the hub itself`}},
		{"register of no DNS name", []string{"register", "EU_West", "--member-context=x"}, []string{`"EU_West"`, "lower case"}},
		{"register of two", []string{"register", "a", "b"}, []string{`"b"`}},
		{"a namespace that is none", []string{"register", "a", "--member-context=x", "--namespaces=x,*"}, []string{"--namespaces", `"*"`}},
		{"a label that is none", []string{"register", "a", "--member-context=x", "--labels=tier=a b"}, []string{"--labels", "a b"}},
		{"a token that ends too soon", []string{"register", "a", "--member-context=x", "--token-duration=1m"}, []string{"--token-duration", "10m"}},
		{"a dry run of another kind", []string{"register", "a", "--member-context=x", "--dry-run=yes"}, []string{"--dry-run", `"yes"`}},
		{"no time to wait for a release", []string{"release", "--wait=-1s"}, []string{"--wait", "negative", "'fanout release --help'"}},
		{"no time to wait for a member to go", []string{"deregister", "a", "--wait=-1s"}, []string{"--wait", "negative"}},
		{"an output of another kind", []string{"register", "a", "--member-context=x", "-o", "json"}, []string{"--output", `"json"`}},
		{"deregister without a name", []string{"deregister"}, []string{"name"}},
		{"get of two", []string{"get", "a", "b"}, []string{`"b"`}},
		{"get of one in all namespaces", []string{"get", "a", "-A"}, []string{"-n"}},
		{"get in another format", []string{"get", "-o", "xml"}, []string{"--output", `"xml"`, "custom-columns"}},
		{"columns that are none", []string{"agents", "-o", "custom-columns=NAME"}, []string{"custom-columns", `"NAME"`, "HEADER:PATH"}},
		{"labels that are none", []string{"agents", "-l", "a=(b"}, []string{"--selector"}},
		{"match of nothing", []string{"match"}, []string{"entry"}},
		{"why without an agent", []string{"why", "a"}, []string{"agent"}},
		{"check of something", []string{"check", "all"}, []string{`"all"`}},
		{"check in another format", []string{"check", "-o", "yaml"}, []string{"--output", `"yaml"`}},
		{"unknown flag", []string{"--bogus"}, []string{"--bogus", "'fanout --help'"}},
		{"unknown flag of the controller", controller("--bogus"), []string{"--bogus", "'fanout controller --help'"}},
		{"unknown short flag", controller("-x"), []string{"'x'", "'fanout controller --help'"}},
		{"unknown flag of version", []string{"version", "--bogus"}, []string{"--bogus", "'fanout version --help'"}},
		{"unknown argument of the controller", controller("now"), []string{`"now"`, "'fanout controller --help'"}},
		{"unknown argument of version", []string{"version", "now"}, []string{`"now"`, "'fanout version --help'"}},
		{"a flag without its value", []string{"controller", "--kubeconfig"}, []string{"--kubeconfig", "'fanout controller --help'"}},
		{"one that is no number", controller("--concurrent-syncs=many"), []string{"--concurrent-syncs"}},
		{"one that is no duration", controller("--probe-period=10"), []string{"--probe-period"}},
		{"one that is no bool", controller("--create-namespaces=maybe"), []string{"--create-namespaces"}},
		{"one that is no log level", controller("-v=high"), []string{"-v"}},
		{"no worker", controller("--concurrent-syncs=0"), []string{"--concurrent-syncs"}},
		{"fewer than no worker", controller("--concurrent-syncs=-1"), []string{"--concurrent-syncs"}},
		{"no failure at all", controller("--probe-failure-threshold=0"), []string{"--probe-failure-threshold"}},
		{"no resync", controller("--resync-period=0"), []string{"--resync-period"}},
		{"no sweep", controller("--orphan-sweep-period=0s"), []string{"--orphan-sweep-period"}},
		{"no wait for a leaving member", controller("--deregister-timeout=0"), []string{"--deregister-timeout"}},
		{"no time for a request", controller("--request-timeout=-1s"), []string{"--request-timeout", "-1s"}},
		{"no pause between probes", controller("--probe-period=0"), []string{"--probe-period"}},
		{"no time for a probe", controller("--probe-timeout=0"), []string{"--probe-timeout"}},
		{"no time to stop", controller("--shutdown-timeout=0"), []string{"--shutdown-timeout"}},
		{"a namespace that can't be", controller("--cluster-namespace=Fanout_System"), []string{"--cluster-namespace", "Fanout_System"}},
		{"a registration nobody knows", controller("--registration=native,flux"), []string{"--registration", `"flux"`, "argocd"}},
		{"no registration", controller("--registration="), []string{"--registration", "at least one"}},
		{"an address without a port", controller("--bind-address=localhost"), []string{"--bind-address", "localhost"}},
		{"an address for whoever asks", controller("--api-bind-address=0.0.0.0:8082"), []string{"--api-bind-address", "0.0.0.0", "loopback", "port-forward"}},
		{"a certificate without its key", controller("--api-bind-address=0.0.0.0:8443", "--api-tls-cert-file=x"), []string{"--api-tls-private-key-file", "neither"}},
		{"a certificate for loopback", controller("--api-tls-cert-file=x", "--api-tls-private-key-file=y"), []string{"--api-tls-cert-file", "beyond loopback"}},
		{"a proxy that anybody could be", controller("--api-bind-address=0.0.0.0:8443", "--api-tls-cert-file=x", "--api-tls-private-key-file=y", "--api-proxy-user-header=X-Forwarded-User"), []string{"0.0.0.0:8443", "--api-proxy-client-ca-file"}},
		{"a proxy's CA for loopback", controller("--api-proxy-user-header=X-Forwarded-User", "--api-proxy-client-ca-file=x"), []string{"--api-proxy-client-ca-file", "beyond loopback"}},
		{"groups of nobody", controller("--api-proxy-groups-header=X-Forwarded-Groups"), []string{"--api-proxy-groups-header", "--api-proxy-user-header"}},
		{"a header that is none", controller("--api-proxy-user-header=X Forwarded"), []string{"--api-proxy-user-header", `"X Forwarded"`}},
		{"an address for all that ask", controller("--api-bind-address=:8082"), []string{"--api-bind-address", "loopback"}},
		{"a name to ask at", controller("--api-bind-address=localhost:8082"), []string{"--api-bind-address", "loopback"}},
		{"no mirror at all", controller("--mirror-limit=0"), []string{"--mirror-limit"}},
		{"mirrors of a share", controller("--mirror", "--shard"), []string{"--mirror", "--shard"}},
		{"a lease shorter than its renewal", controller("--leader-elect-lease-duration=10s"), []string{"--leader-elect-lease-duration"}},
		{"a renewal with too few attempts", controller("--leader-elect-retry-period=5s"), []string{"--leader-elect-renew-deadline", "--leader-elect-retry-period"}},
		{"no retry", controller("--leader-elect-retry-period=0"), []string{"--leader-elect-retry-period"}},
		{"a lock of another kind", controller("--leader-elect-resource-lock=configmaps"), []string{"--leader-elect-resource-lock", "leases"}},
		{"a log of bodies", controller("--v=8"), []string{"--v", "at most 7"}},
		{"a log of one file's bodies", controller("--vmodule=request=10"), []string{"--vmodule", "at most 7"}},
		{"several at once", controller("--resync-period=0", "--probe-period=0", "--concurrent-syncs=0"), []string{"--resync-period", "--probe-period", "--concurrent-syncs"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, out, errOut := runFanout(t, t.Context(), row.args...)
			if code != exitUsage || out != "" || !strings.HasPrefix(errOut, "fanout: ") {
				t.Errorf("code %d, %q, %q", code, out, errOut)
			}
			says(t, "the message", errOut, append(row.says, "--help'")...)
		})
	}
}

// Component-base names the field; people type flags.
func TestAFaultOfTheLogFlagsNamesTheFlag(t *testing.T) {
	for _, flag := range []string{"--logging-format=bogus", "--log-flush-frequency=0s"} {
		code, _, errOut := runFanout(t, t.Context(), controller(flag)...)
		name, _, _ := strings.Cut(flag, "=")
		if code != exitUsage {
			t.Errorf("%s: code %d", flag, code)
		}
		says(t, "the message", errOut, name)
	}
}

// An elector would try for ever what can never be: a Lease without a name, or one of 0 whole seconds.
func TestALeaseThatCannotBeIsAFaultOfTheCommandLine(t *testing.T) {
	for name, args := range map[string][]string{
		"--leader-elect-resource-name":  {"--leader-elect-resource-name="},
		"--leader-elect-lease-duration": {"--leader-elect-lease-duration=900ms", "--leader-elect-renew-deadline=500ms", "--leader-elect-retry-period=100ms"},
	} {
		code, _, errOut := runFanout(t, t.Context(), controller(args...)...)
		if code != exitUsage {
			t.Errorf("%v: code %d", args, code)
		}
		says(t, "the message", errOut, name)
	}
}

func TestWithoutLeaderElectionItsFlagsMayBeAnything(t *testing.T) {
	f := defaultFlags()
	f.complete()
	f.leaderElection.LeaderElect = false
	f.leaderElection.RetryPeriod.Duration = 0
	if err := f.validate(); err != nil {
		t.Error(err)
	}
}

func TestTheDefaultsAreValidAndTheLeaseStandsBesideTheSecrets(t *testing.T) {
	f := defaultFlags()
	f.clusterNamespace = "members"
	f.complete()
	if err := f.validate(); err != nil || f.leaderElection.ResourceNamespace != "members" {
		t.Errorf("%v; the Lease is in %q", err, f.leaderElection.ResourceNamespace)
	}
	f = defaultFlags()
	f.leaderElection.ResourceNamespace = "leases"
	f.complete()
	if err := f.validate(); err != nil || f.leaderElection.ResourceNamespace != "leases" || f.clusterNamespace == "" {
		t.Errorf("%v; the Lease is in %q, the Secrets are in %q", err, f.leaderElection.ResourceNamespace, f.clusterNamespace)
	}
}

func TestAHubThatIsNotThere(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, row := range []struct {
		name string
		args []string
		says []string
	}{
		{"no kubeconfig", controller(), []string{"--kubeconfig", "/does/not/exist"}},
		{"a kubeconfig that is none", controller("--kubeconfig=" + file(t, "text")), []string{"--kubeconfig"}},
		{"an address that is taken", controller("--kubeconfig="+file(t, hubNowhere), "--bind-address="+taken(t)), []string{"--bind-address", "address already in use"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, out, errOut := runFanout(t, stopped, row.args...)
			if code != exitFailure || out != "" || strings.Count(errOut, "fanout: ") != 1 {
				t.Errorf("code %d, %q, %q", code, out, errOut)
			}
			says(t, "the message", errOut, row.says...)
		})
	}
	if code, out, _ := runFanout(t, stopped, controller("--kubeconfig="+file(t, hubNowhere))...); code != 0 || out != "" {
		t.Errorf("told to stop before the hub answers: code %d, %q", code, out)
	}
}

// hubNowhere is a kubeconfig of a server that is not there.
const hubNowhere = `{apiVersion: v1, kind: Config, current-context: hub,
contexts: [{name: hub, context: {cluster: hub, user: hub}}],
clusters: [{name: hub, cluster: {server: "https://127.0.0.1:1"}}],
users: [{name: hub, user: {token: x}}]}`

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func taken(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func TestAsAPluginOfKubectl(t *testing.T) {
	for _, file := range []string{"kubectl-fanout", "kubectl-fanout.exe"} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), file, []string{"register", "--help"}, &stdout, &stderr)
		if code != 0 || !strings.Contains(stdout.String(), "kubectl fanout register NAME") {
			t.Errorf("%s: code %d:\n%s%s", file, code, stdout.String(), stderr.String())
		}
	}
}

// A controller that finds no hub speaks of its own flag, and not of what client-go would take instead.
func TestAControllerWithoutAHub(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBECONFIG", "/does/not/exist")
	code, _, errOut := runFanout(t, t.Context(), "controller", "--bind-address=127.0.0.1:0")
	if code != 1 || strings.Contains(errOut, "master") || strings.Contains(errOut, "MASTER") {
		t.Errorf("code %d: %s", code, errOut)
	}
	says(t, "it", errOut, "does not run in a cluster", "--kubeconfig")
}

func TestAContextThatIsNot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := "{apiVersion: v1, kind: Config, contexts: [{name: east, context: {cluster: c}}, {name: west, context: {cluster: c}}], clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]}"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args []string
		says []string
	}{
		{[]string{"check", "--kubeconfig", file, "--context", "north"}, []string{"find the hub (--kubeconfig, --context)", `no context "north"`, "east, west"}},
		{[]string{"register", "a", "--member-kubeconfig", file, "--member-context", "north"}, []string{"find the member (--member-kubeconfig, --member-context)", `no context "north"`, "east, west"}},
		{[]string{"register", "a", "--member-kubeconfig", file}, []string{"find the member", "no current context"}},
		{[]string{"deregister", "a", "--kubeconfig", "/does/not/exist"}, []string{"find the hub", "/does/not/exist"}},
		{[]string{"release", "--kubeconfig", file, "--context", "north"}, []string{"find the hub", `no context "north"`}},
	} {
		code, _, errOut := runFanout(t, t.Context(), row.args...)
		if code != 1 {
			t.Errorf("%q: code %d", row.args, code)
		}
		says(t, fmt.Sprint(row.args), errOut, row.says...)
	}
}
