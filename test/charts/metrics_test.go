package charts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/fixture"
)

// metrics are those that fanout tells, by name, with the values of each label that were seen.
type metrics map[string]map[string][]string

// family finds a metric by the name of one of its series.
func (m metrics) family(series string) (map[string][]string, bool) {
	if family, ok := m[series]; ok {
		return family, true
	}
	family, ok := m[strings.TrimSuffix(series, "_bucket")]
	return family, ok
}

// metricsOfFanout has the real controller work, so that each of its metrics has something to tell, and reads them.
func metricsOfFanout(t *testing.T) metrics {
	t.Helper()
	hub, member := hub(t), fixture.In(t, planes, "member")
	namespace := "metrics-" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	for _, cluster := range []*fixture.Cluster{hub, member} {
		if err := cluster.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cluster.Clean(t, namespace) })
	}
	hub.Namespace(t, namespace)
	// A credential that ends, and a copy that something stands in the way of.
	hub.Register(t, namespace, "eu-west-prod", fixture.Kubeconfig(t, member.LeastRightsToken(t, "member.yaml", namespace, time.Hour)))
	member.Apply(t, fixture.Canary(namespace, "taken"))
	hub.Apply(t, fixture.Canary(namespace, "taken", "*"))
	hub.Apply(t, fixture.Canary(namespace, "fine", "*"))
	hub.Apply(t, fixture.Canary(namespace, "faulty", "["))
	f := fixture.StartFanout(t, hub.LeastRights(t, "hub.yaml", namespace), "--cluster-namespace", namespace)
	var found metrics
	fixture.Eventually(t, "each of fanout's metrics has something to tell", func() error {
		if _, err := member.Canaries(namespace).Get(t.Context(), "fine", metav1.GetOptions{}); err != nil {
			return err
		}
		found = read(t, f.Metrics(t))
		for _, name := range []string{"fanout_sync_errors_total", "fanout_credential_ttl_seconds", "fanout_propagation_seconds", "fanout_results"} {
			if _, ok := found[name]; !ok {
				return fmt.Errorf("there is no %s", name)
			}
		}
		return nil
	})
	if leads := f.Metric(t, "fanout_leader"); leads != 1 {
		t.Errorf("fanout_leader is %v of one that works", leads)
	}
	return found
}

func read(t *testing.T, text string) metrics {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	found := metrics{}
	for name, family := range families {
		found[name] = map[string][]string{}
		for _, sample := range family.GetMetric() {
			for _, label := range sample.GetLabel() {
				if seen := found[name][label.GetName()]; !slices.Contains(seen, label.GetValue()) {
					found[name][label.GetName()] = append(seen, label.GetValue())
				}
			}
		}
	}
	return found
}

// A replica that stands by says so.
func TestStandbyTellsThatItDoesNotLead(t *testing.T) {
	hub := hub(t)
	namespace := "standby"
	kubeconfig := hub.LeastRights(t, "hub.yaml", namespace)
	flags := []string{"--cluster-namespace", namespace, "--leader-elect-lease-duration=5s", "--leader-elect-renew-deadline=3s", "--leader-elect-retry-period=1s"}
	leads := fixture.StartFanout(t, kubeconfig, flags...)
	fixture.Eventually(t, "the first leads", func() error { return fixture.Same("fanout_leader", leads.Metric(t, "fanout_leader"), 1) })
	standby := fixture.StartFanout(t, kubeconfig, flags...)
	if leader := standby.Metric(t, "fanout_leader"); leader != 0 {
		t.Errorf("fanout_leader of the second is %v", leader)
	}
	leads.Stop(t)
	fixture.Eventually(t, "the second leads", func() error { return fixture.Same("fanout_leader", standby.Metric(t, "fanout_leader"), 1) })
}
