package integration

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"fanout/pkg/check"
	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

// What was registered before fanout runs is told from what it has confirmed, and a second run mends it.
func TestRegisterBeforeFanoutRuns(t *testing.T) {
	w := newWorld(t)
	code, printed := w.command(t, "register", "eu-west-prod", w.registerFlags(t, "eu-west-prod", "--wait", "1s", "--server", "https://127.0.0.1:1")...)
	if code != 3 {
		t.Errorf("code %d\n%s", code, printed)
	}
	mustSay(t, printed, "https://127.0.0.1:1 can't be reached from here, and the hub will tell", "hub: secret/eu-west-prod created", "has not confirmed it within 1s", "nobody holds the Lease "+w.namespace+"/fanout")
	w.startFanout(t)
	mustSay(t, w.mustRegister(t, "eu-west-prod"), "secret/eu-west-prod configured")
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectDerived(t, "eu-west-prod", "api-health")
}

// running is a command that goes on.
type running struct {
	command *exec.Cmd
	output  *bufio.Reader
	printed strings.Builder
}

func (w *world) startRegister(t *testing.T, agent string, flags ...string) *running {
	t.Helper()
	args := append([]string{"register", agent, "--cluster-namespace", w.namespace}, w.registerFlags(t, agent, flags...)...)
	r := &running{command: fixture.Command(t, w.hub.Kubeconfig, args...)}
	output, err := r.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.command.Stderr = r.command.Stdout
	r.output = bufio.NewReader(output)
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// says reads on until the command has said that.
func (r *running) says(t *testing.T, part string) {
	t.Helper()
	for !strings.Contains(r.printed.String(), part) {
		line, err := r.output.ReadString('\n')
		r.printed.WriteString(line)
		if err != nil {
			t.Fatalf("it ended without saying %q:\n%s", part, r.printed.String())
		}
	}
}

func (r *running) interrupt(t *testing.T) {
	t.Helper()
	if err := r.command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
}

// wait returns all that the command has printed, at its end with that code.
func (r *running) wait(t *testing.T, code int) string {
	t.Helper()
	if _, err := io.Copy(&r.printed, r.output); err != nil {
		t.Fatal(err)
	}
	_ = r.command.Wait()
	if got := r.command.ProcessState.ExitCode(); got != code {
		t.Errorf("code %d, not %d:\n%s", got, code, r.printed.String())
	}
	return r.printed.String()
}

// A run that is interrupted says so, and the next one mends what it left.
func TestRegisterInterrupted(t *testing.T) {
	w := newWorld(t)
	r := w.startRegister(t, "eu-west-prod")
	fixture.Eventually(t, "it has written the Secret", func() error {
		_, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), "eu-west-prod", metav1.GetOptions{})
		return err
	})
	r.interrupt(t)
	mustSay(t, r.wait(t, 1), "fanout: interrupted", "the same command again")

	w.startFanout(t)
	mustSay(t, w.mustRegister(t, "eu-west-prod"), "secret/eu-west-prod configured")
}

// One that is interrupted before the hub knows of it leaves a token in the member, and the next run takes it away.
func TestRegisterInterruptedEarly(t *testing.T) {
	w := newWorld(t)
	w.startFanout(t)
	tokens := w.members["eu-west-prod"].Kube.CoreV1().Secrets("fanout-system")
	left := func() int {
		list, err := tokens.List(t.Context(), metav1.ListOptions{LabelSelector: derive.LabelHub})
		if err != nil {
			t.Fatal(err)
		}
		return len(slices.DeleteFunc(list.Items, func(secret corev1.Secret) bool { return !strings.HasPrefix(secret.Name, w.identityOf()+"-") }))
	}
	// Nobody here puts a token into the Secret, so that it waits for one.
	r := w.startRegister(t, "eu-west-prod", "--token-duration", "0")
	fixture.Eventually(t, "it has made a Secret for the token", func() error {
		if left() != 1 {
			return fmt.Errorf("there are %d", left())
		}
		return nil
	})
	r.interrupt(t)
	mustSay(t, r.wait(t, 1), "fanout: interrupted", "the same command again")
	if list, err := w.hub.Kube.CoreV1().Secrets(w.namespace).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
		t.Errorf("the hub holds %v, %v", list.Items, err)
	}

	mustSay(t, w.mustRegister(t, "eu-west-prod"), "hub: Connected: ", "member: secret/fanout-system/"+w.identityOf())
	if left() != 0 {
		t.Errorf("%d Secrets for tokens are left", left())
	}
}

// An address that the hub does not reach is told of while it waits, with what went wrong, and the next run mends it.
func TestRegisterWhereTheHubCannotReachIt(t *testing.T) {
	w := newWorld(t)
	w.startFanout(t, "--probe-period=300ms")
	r := w.startRegister(t, "eu-west-prod", "--server", "https://127.0.0.1:1", "--wait", "10m")
	r.says(t, "hub: Unreachable: ")
	r.interrupt(t)
	mustSay(t, r.wait(t, 1), "https://127.0.0.1:1 can't be reached from here", "127.0.0.1:1", "nothing accepts connections")
	mustSay(t, w.mustRegister(t, "eu-west-prod"), "secret/eu-west-prod configured", "hub: Connected: ")
}

// Clusters without the CRD are registered all the same, and what is missing is said.
func TestRegisterWithoutCRDs(t *testing.T) {
	w := newWorld(t)
	w.hub.RemoveCRD(t)
	w.members["eu-west-prod"].RemoveCRD(t)
	printed := w.mustRegister(t, "eu-west-prod", "--wait", "0")
	mustSay(t, printed, "Warning: the hub has no Canary CRD", "Warning: the member has no Canary CRD", "install that there", "hub: secret/eu-west-prod created")
	code, results := w.check(t)
	if crd := results["crd"]; code != 1 || crd.Status != check.Failed || crd.Next != "install canary-checker's CRDs in the hub" {
		t.Errorf("fanout check: code %d, %+v", code, crd)
	}
}

// Who lacks a right in the hub is told which it takes, and nothing is made in the member.
func TestRegisterWithoutRightsInTheHub(t *testing.T) {
	w := newWorld(t, "us-east-prod")
	somebody, err := w.hub.KubeconfigFor(t.Context(), "somebody")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		append([]string{"register", "eu-west-prod"}, w.registerFlags(t, "eu-west-prod")...),
		{"deregister", "us-east-prod", "--yes"},
	} {
		code, printed := fixture.Run(t, somebody, append(args, "--cluster-namespace", w.namespace)...)
		if code != 1 || strings.Count(printed, "fanout: ") != 1 {
			t.Errorf("%s: code %d\n%s", args[0], code, printed)
		}
		mustSay(t, printed, "forbidden", "ask an administrator of the hub")
	}
	w.expectNothingRegistered(t, "eu-west-prod")
	w.secret(t, "us-east-prod")
}

// What can't be registered is refused before anything is made anywhere.
func TestRegisterRefuses(t *testing.T) {
	w := newWorld(t)
	kube := w.hub.Kube.CoreV1().Secrets(w.namespace)
	for _, secret := range []*corev1.Secret{
		{ObjectMeta: metav1.ObjectMeta{Name: "a-password"}},
		{ObjectMeta: metav1.ObjectMeta{Name: "shop-kubeconfig", Labels: map[string]string{"cluster.x-k8s.io/cluster-name": "shop"}}},
	} {
		if _, err := kube.Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	unprivileged, err := w.members["eu-west-prod"].KubeconfigFor(t.Context(), "somebody")
	if err != nil {
		t.Fatal(err)
	}
	stopped := w.members["eu-west-prod"].Config
	gone := fixture.Kubeconfig(t, &rest.Config{Host: "https://127.0.0.1:1", TLSClientConfig: stopped.TLSClientConfig})
	admin := fixture.KubeconfigFile(t, w.members["eu-west-prod"].Kubeconfig)
	for _, row := range []struct {
		name, agent string
		flags       []string
		says        []string
	}{
		{"a loopback address", "eu-west-prod", []string{"--member-kubeconfig", admin}, []string{"nothing that the hub can reach", "--server https://HOST:PORT"}},
		{"an address without TLS", "eu-west-prod", []string{"--member-kubeconfig", admin, "--server", "http://10.0.0.7:8080"}, []string{"would refuse", "server", "https"}},
		{"another's Secret", "a-password", w.registerFlags(t, "eu-west-prod"), []string{"secret/a-password", "is left alone"}},
		{"a name that Cluster API has given", "shop", w.registerFlags(t, "eu-west-prod"), []string{"secret/shop-kubeconfig", "capi", "another name"}},
		{"the hub", "eu-west-prod", []string{"--member-kubeconfig", fixture.KubeconfigFile(t, w.hub.Kubeconfig), "--server", w.hub.Config.Host}, []string{"is the hub itself", `"local"`}},
		{"a member that is away", "eu-west-prod", []string{"--member-kubeconfig", fixture.KubeconfigFile(t, gone)}, []string{"ask the member for its ID", "127.0.0.1:1"}},
		{"somebody without rights", "eu-west-prod", []string{"--member-kubeconfig", fixture.KubeconfigFile(t, unprivileged), "--server", stopped.Host}, []string{"forbidden", "kube-system"}},
		{"a namespace that is not there", "eu-west-prod", append(w.registerFlags(t, "eu-west-prod"), "--cluster-namespace", w.namespace+"-none"), []string{w.namespace + "-none", "install fanout there first"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, printed := w.command(t, "register", row.agent, row.flags...)
			if code != 1 {
				t.Errorf("code %d\n%s", code, printed)
			}
			mustSay(t, printed, row.says...)
			if strings.Count(printed, "fanout: ") != 1 {
				t.Errorf("it is not one clear error:\n%s", printed)
			}
		})
	}
	list, err := kube.List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 2 {
		t.Errorf("the hub holds %d Secrets, %v", len(list.Items), err)
	}
	w.expectNothingRegistered(t, "eu-west-prod")
}

// Where another hub has its identity in the member, this one takes another.
func TestRegisterLeavesAnotherHubsIdentityAlone(t *testing.T) {
	w := newWorld(t)
	accounts := w.members["eu-west-prod"].Kube.CoreV1().ServiceAccounts("fanout-system")
	w.members["eu-west-prod"].Namespace(t, "fanout-system")
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: w.identityOf(), Labels: map[string]string{derive.LabelHub: "another-hub"}}}
	if _, err := accounts.Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	code, printed := w.command(t, "register", "eu-west-prod", w.registerFlags(t, "eu-west-prod")...)
	if code != 1 {
		t.Errorf("code %d\n%s", code, printed)
	}
	mustSay(t, printed, "serviceaccount/fanout-system/"+w.identityOf(), "another hub, with ID another-hub", "--service-account")
	if _, err := w.members["eu-west-prod"].Kube.RbacV1().ClusterRoles().Get(t.Context(), w.identityOf()+"-member", metav1.GetOptions{}); err == nil {
		t.Error("it made a role all the same")
	}
}
