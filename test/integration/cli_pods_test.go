package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanout/pkg/api"
	"fanout/pkg/api/pods"
	"fanout/test/fixture"
)

// tells answers as a controller does that knows those agents. Without any it stands by.
func tells(t *testing.T, replica string, agents ...api.Agent) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case len(agents) == 0:
			w.WriteHeader(http.StatusServiceUnavailable)
			_ = json.NewEncoder(w).Encode(api.Problem{Error: "this one stands by"})
		case r.URL.Path == "/api/v1/agents":
			_ = json.NewEncoder(w).Encode(api.Agents{Teller: api.Teller{Version: "v1.0.0", Hub: "hub", Time: time.Now(), Replica: replica}, Items: agents})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

var ofFanout = map[string]string{"app.kubernetes.io/name": "fanout"}

// The pods of controllers are asked through the API server, with the user's own rights, over a connection that it forwards.
func TestTheCommandLineAsksPods(t *testing.T) {
	w := newWorld(t)
	known := api.Agent{Name: "eu-west-prod", State: "Connected", ServerVersion: "v1.35.0", Selected: 3, InSync: 3}
	user := w.hub.As(t, "viewer", w.namespace, may("list", "", "pods"))
	_, errOut := w.expectCLI(t, w.hub.Kubeconfig, 0, nil, "get", "-A")
	if !strings.Contains(errOut, "no pod of it is ready in namespace "+w.namespace) {
		t.Errorf("without a pod it says %q", errOut)
	}

	t.Log("one that stands by, and one that leads")
	w.hub.RunPod(t, w.namespace, "fanout-0", ofFanout, map[int]string{pods.Port: tells(t, "")})
	w.hub.RunPod(t, w.namespace, "fanout-1", ofFanout, map[int]string{pods.Port: tells(t, "", known)})
	code, _, errOut := w.cli(t, user, "agents")
	if code != 1 || !strings.Contains(errOut, "forbidden") {
		t.Errorf("without the right to forward: code %d, %s", code, errOut)
	}
	w.hub.Allow(t, "viewer", w.namespace, may("create,get", "", "pods/portforward"))
	_, errOut = w.expectCLI(t, user, 0, []string{"eu-west-prod Connected - v1.35.0 3 3 0"}, "agents")
	if errOut != "" {
		t.Errorf("it complains: %s", errOut)
	}
	w.expectCLI(t, w.hub.Kubeconfig, 0, []string{"agent/eu-west-prod"}, "agents", "-o", "name")
}

// A user who may forward to fanout's pods and nothing else sees how the checks fare everywhere.
func TestTheCommandLineThroughThePodOfAController(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	w.hub.RunPod(t, w.namespace, "fanout-0", ofFanout, map[int]string{pods.Port: strings.TrimPrefix(controller.APIAddress(t), "http://")})
	user := w.hub.As(t, "viewer", w.namespace, may("list", "", "pods"), may("create,get", "", "pods/portforward"))
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500"))
	_, errOut := w.expectCLI(t, user, 0, []string{w.canaries + " api-health Failed 1 1 1"}, "get", "-A")
	if errOut != "" {
		t.Errorf("it complains: %s", errOut)
	}
	w.expectCLI(t, user, 0, []string{"eu-west-prod Failed yes", "expected 500"}, "get", "api-health", "-n", w.canaries)
	w.expectCLI(t, user, 0, []string{"✗ result (Failed)"}, "why", "api-health", "eu-west-prod", "-n", w.canaries)
}

// Of replicas that share the members each knows its own, and together they know all.
func TestTheCommandLineAsksAllThatShare(t *testing.T) {
	w := newWorld(t)
	mine := func(name string) api.Agent {
		return api.Agent{Name: name, State: "Connected", ServerVersion: "v1.35.0", Selected: 1, InSync: 1}
	}
	w.hub.RunPod(t, w.namespace, "fanout-0", ofFanout, map[int]string{pods.Port: tells(t, "fanout-0", mine("a"), api.Agent{Name: "b"})})
	w.hub.RunPod(t, w.namespace, "fanout-1", ofFanout, map[int]string{pods.Port: tells(t, "fanout-1", api.Agent{Name: "a"}, mine("b"))})
	w.expectCLI(t, w.hub.Kubeconfig, 0, []string{"a Connected - v1.35.0 1 1 0 - b Connected - v1.35.0 1 1 0 -"}, "agents")
}

// So do real ones, whichever of them has which member.
func TestTheCommandLineAsksReplicas(t *testing.T) {
	w := newWorld(t, agents...)
	replicas := w.startReplicas(t, 2)
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectShared(t, replicas...)
	for i, replica := range replicas {
		w.hub.RunPod(t, w.namespace, fmt.Sprintf("fanout-%d", i), ofFanout, map[int]string{pods.Port: strings.TrimPrefix(replica.APIAddress(t), "http://")})
	}
	for _, agent := range agents {
		w.expectDerived(t, agent, "api-health")
		w.members[agent].Report(t, w.canaries, "api-health", fixture.Passing(time.Now()))
	}
	w.expectCLI(t, w.hub.Kubeconfig, 0, []string{"api-health Passed 3 3 0 36/36 (100.0%) 7ms"}, "get", "-n", w.canaries)
	w.expectCLI(t, w.hub.Kubeconfig, 0, []string{"api-health Passed 3 3 0 36/36 (100.0%) 7ms", "ap-south-dev Passed yes", "eu-west-prod Passed yes", "us-east-prod Passed yes"}, "get", "api-health", "-n", w.canaries)
	w.expectCLI(t, w.hub.Kubeconfig, 0, []string{"ap-south-dev Connected", "eu-west-prod Connected", "us-east-prod Connected"}, "agents")
	w.expectCLI(t, w.hub.Kubeconfig, 0, []string{"api-health: 3 unchanged"}, "preview", "api-health", "-n", w.canaries)

	t.Log("the page of either")
	address, errOut, stop := w.ui(t, w.hub.Kubeconfig)
	defer stop()
	expectPage(t, address, append([]string{w.canaries + "/</i>api-health"}, agents...)...)
	expectPage(t, address+"/canaries/"+w.canaries+"/api-health", agents...)
	if errOut.String() != "" {
		t.Errorf("it complains: %s", errOut)
	}
}

// A pod on whose port nothing listens, as of an older version, is one that can't be asked.
func TestTheCommandLineAsksAnOlderVersion(t *testing.T) {
	w := newWorld(t)
	w.hub.RunPod(t, w.namespace, "fanout-0", ofFanout, map[int]string{pods.Port: "127.0.0.1:1"})
	w.hub.Apply(t, fixture.Canary(w.canaries, "api-health", "*"))
	_, errOut := w.expectCLI(t, w.hub.Kubeconfig, 0, []string{"api-health Pending"}, "get", "-n", w.canaries)
	if !strings.Contains(errOut, "ask pod fanout-0") || !strings.Contains(errOut, "connection refused") {
		t.Errorf("it says %q", errOut)
	}
}
