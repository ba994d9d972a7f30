package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"fanout/pkg/api/pods"
	"fanout/test/fixture"
)

// ui runs fanout ui until stop is called, and returns the page's address and what it complained about by then.
func (w *world) ui(t *testing.T, kubeconfig []byte) (address string, errOut *fixture.LogBuffer, stop func()) {
	t.Helper()
	command := fixture.Command(t, kubeconfig, "ui", "--port", "0", "--no-browser", "--cluster-namespace", w.namespace)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errOut = &fixture.LogBuffer{}
	command.Stderr = errOut
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	stop = func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("fanout ui: %v\n%s", err, errOut)
		}
	}
	found := regexp.MustCompile(`http://localhost:\d+`).FindString(line)
	if err != nil || found == "" {
		t.Fatalf("fanout ui says %q: %v", line, err)
	}
	return found, errOut, stop
}

// expectPage waits until a page holds all of these texts.
func expectPage(t *testing.T, address string, texts ...string) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("%s shows %q", address, texts), func() error {
		response, err := (&http.Client{Timeout: 15 * time.Second}).Get(address) // a page that hangs is none
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if !strings.Contains(string(body), text) {
				return fmt.Errorf("%s: it has no %q:\n%s", response.Status, text, body[:min(len(body), 2000)])
			}
		}
		return nil
	})
}

// The page of whichever controller leads is passed on, with the user's own rights, and stays live.
func TestUIPassesThePageOn(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	first := w.startFanout(t)
	fixture.Eventually(t, "the first one leads", func() error {
		_, err := first.API(t).Agents(t.Context())
		return err
	})
	second := w.startFanout(t)
	for name, fanout := range map[string]*fixture.Fanout{"fanout-0": second, "fanout-1": first} {
		w.hub.RunPod(t, w.namespace, name, ofFanout, map[int]string{pods.Port: strings.TrimPrefix(fanout.APIAddress(t), "http://")})
	}
	w.hub.Apply(t, w.canary("api-health", "*"))
	user := w.hub.As(t, "viewer", w.namespace, may("list", "", "pods"), may("create,get", "", "pods/portforward"))
	address, errOut, stop := w.ui(t, user)
	defer stop()
	expectPage(t, address, w.canaries+"/</i>api-health", "eu-west-prod")
	expectPage(t, address+"/api/v1/agents", `"eu-west-prod"`)
	if errOut.String() != "" {
		t.Errorf("it complains: %s", errOut)
	}

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "rebound.example.com"
	if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("by another host's name: %v, %v", response, err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	request, err = http.NewRequestWithContext(ctx, http.MethodGet, address+"/events/canaries/"+w.canaries+"/api-health", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500 to be in [200]"))
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	live := false
	for !live && lines.Scan() {
		live = strings.Contains(lines.Text(), "expected 500 to be in [200]")
	}
	if !live {
		t.Errorf("the stream ended before it brought what failed: %v", lines.Err())
	}

	t.Log("the other one takes over")
	first.Stop(t)
	expectPage(t, address, w.canaries+"/</i>api-health")
}

// Without a controller the page says what the parents' statuses do.
func TestUIWithoutAController(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	fanout := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500 to be in [200]"))
	w.expectShown(t, "api-health", "Failed", "1 agent: 1 failed; 1 in sync", map[string]string{"eu-west-prod": "Failed | expected 500 to be in [200]"})
	fanout.Stop(t)
	address, errOut, stop := w.ui(t, w.hub.Kubeconfig)
	defer stop()
	fixture.Eventually(t, "it says that no controller could be asked", func() error {
		if !strings.Contains(errOut.String(), "so this is what the statuses in the hub say") {
			return fmt.Errorf("it says %q", errOut)
		}
		return nil
	})
	expectPage(t, address, `<td class="s-failed">`, w.canaries+"/</i>api-health")
	expectPage(t, address+"/canaries/"+w.canaries+"/api-health", "expected 500 to be in [200]", "takes in")
	expectPage(t, address+"/agents/eu-west-prod", "api-health")
}
