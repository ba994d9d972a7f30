package e2e

import (
	"fmt"
	"testing"
)

// checks has the members run real checks of what is in them: the API server and the cluster's DNS, and something that is not there.
func checks(t *testing.T, w *world) {
	in := w.aNamespace(t, "checks")
	w.hub.apply(t, parentWith(in, "passes", `
schedule: "@every 15s"
http: [{name: dns-metrics, url: "http://kube-dns.kube-system.svc.cluster.local:9153/metrics", responseCodes: [200], responseContent: coredns}]
tcp: [{name: api-server, endpoint: "kubernetes.default.svc.cluster.local:443"}]
dns: [{name: dns, query: kubernetes.default.svc.cluster.local, querytype: A, minrecords: 1}]
`, "*", "local")+parentWith(in, "fails", `
schedule: "@every 15s"
http: [{name: nobody, url: "http://nobody.e2e-checks.svc.cluster.local/"}]
`, "*"))
	for _, member := range w.members {
		member.shows(t, "Passed", "--namespace", in, "get", "canary", "passes", "--output=jsonpath={.status.status}")
		member.shows(t, "Failed", "--namespace", in, "get", "canary", "fails", "--output=jsonpath={.status.status}")
		member.mentions(t, "nobody.e2e-checks", "--namespace", in, "get", "canary", "fails", "--output=jsonpath={.status.errorMessage}")
	}
	t.Run("Also in the hub, and the parents say how they all fare", func(t *testing.T) {
		w.hub.shows(t, "Passed", "--namespace", in, "get", "canary", "passes-local", "--output=jsonpath={.status.status}")
		n := len(w.members)
		w.shown(t, in, "passes", "Passed", fmt.Sprintf("%d agents: %[1]d passed; %[1]d in sync", n+1))
		w.shown(t, in, "fails", "Failed", fmt.Sprintf("%d agents: %[1]d failed; %[1]d in sync", n))
	})
	t.Run("Again and again, and fanout leaves the status alone", func(t *testing.T) {
		member := w.members[0]
		last := member.kubectl(t, "--namespace", in, "get", "canary", "passes", "--output=jsonpath={.status.lastCheck}")
		eventually(t, "it is checked again", func() error {
			now, err := member.try("--namespace", in, "get", "canary", "passes", "--output=jsonpath={.status.lastCheck}")
			if err == nil && now == last {
				err = fmt.Errorf("the last check was %s", now)
			}
			return err
		})
		member.shows(t, "Passed", "--namespace", in, "get", "canary", "passes", "--output=jsonpath={.status.status}")
	})
}
