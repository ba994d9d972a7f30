package chaos

import (
	"fmt"
	"strings"
	"testing"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// aftermath looks at what is left to see once the clusters are as they should be: that labels take effect with nothing else going
// on, that a bad credential leaves the good one at work, that the controller ends when it is told to, and what it logged.
func (r *round) aftermath() *failure {
	if failed := r.labelAll(); failed != nil {
		return failed
	}
	if failed := r.shelter(); failed != nil {
		return failed
	}
	r.stopOthers()
	r.stop()
	if failed := r.checkLogs(); failed != nil {
		return failed
	}
	if failed := r.w.judgeTurns(r.t); failed != nil {
		return failed
	}
	return r.violations()
}

// shelter spoils every member's credential and then changes every parent: the change must arrive all the same.
func (r *round) shelter() *failure {
	if r.seed%3 != 0 {
		return nil
	}
	fixture.Eventually(r.t, "every member is connected, or refused as a twin", func() error {
		// One that is not connected has no good credential to fall back on, and the clusters may be right without it.
		settled := 0.0
		for _, f := range r.running() {
			if err := f.Ready(); err != nil {
				return err
			}
			settled += f.Metric(r.t, "fanout_members", "state", "Connected") + f.Metric(r.t, "fanout_members", "state", "Refused")
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return fixture.Same("their number", settled, len(r.model.secrets))
	})
	for i := range len(members) {
		r.note("shelter", "spoilt the credential of "+r.spoilCredential(numbers{i}))
	}
	for _, at := range r.places {
		if r.known(at) != nil {
			r.touch(at)
		}
	}
	return r.converge()
}

// checkAudit fails the test if fanout wrote anything that it has no business with.
func (w *world) checkAudit(t testing.TB) {
	t.Helper()
	for name, c := range w.clusters {
		writes, err := c.AuditedWrites(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		own := 0
		for _, write := range writes {
			if write.User != "system:serviceaccount:"+system+":fanout" {
				continue
			}
			own++
			if fault := faultOf(name, write); fault != "" {
				t.Errorf("%s: fanout sent %s %s %s/%s (%d): %s", name, write.Verb, write.Resource, write.Namespace, write.Name, write.Code, fault)
			}
		}
		if own == 0 {
			t.Errorf("%s: the audit log holds no write of fanout's", name)
		}
	}
}

// faultOf says what is wrong with a write of fanout's, empty where it is one that fanout needs.
func faultOf(cluster string, write controlplane.Write) string {
	action := write.Verb + " " + write.Resource
	switch {
	case action == "patch canaries" && write.Subresource == "status" && cluster == hubCluster:
		return ""
	case write.Subresource != "":
		return "it writes no subresource but parents' status"
	case action == "patch secrets" && cluster == hubCluster && write.Namespace == system:
		return ""
	case action == "patch canaries" && cluster == hubCluster, action == "delete canaries" && cluster == hubCluster:
		if !strings.HasSuffix(write.Name, "-"+local) {
			return "in the hub it writes its own copies only"
		}
		return ""
	case action == "patch canaries", action == "delete canaries":
		return ""
	case action == "create namespaces" && (cluster != hubCluster || write.Code == 403):
		return ""
	default:
		return fmt.Sprintf("it may not %s", action)
	}
}
