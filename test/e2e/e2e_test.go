// Package e2e holds fanout, as it is installed and typed, to what it promises: on a hub and members that are real clusters on kind,
// by what kubectl, helm, docker and fanout show and not by what any package of it says.
//
// make e2e brings the clusters up, with canary-checker's CRD and a stand-in for canary-checker in each, and runs this. Without its
// clusters nothing here runs. A run begins by taking out whatever an earlier one left, so the clusters can stay up between two.
package e2e

import (
	"testing"
)

// TestE2E is one story in chapters, since they share the clusters. Each leaves behind what the next begins with: fanout in the hub,
// and every member that is still there registered, with no Canaries.
func TestE2E(t *testing.T) {
	w := newWorld(t)
	defer w.report.print(t)
	for _, chapter := range []struct {
		name string
		tell func(*testing.T, *world)
	}{
		{"Installing", installing},
		{"Rights", rights},
		{"Selecting", selecting},
		{"Rollout", rollout},
		{"Lifecycle", lifecycle},
		{"Checks", checks},
		{"Results", comeHome},
		{"Bundled", bundled},
		{"Formats", formats},
		{"Outages", outages},
		{"Failover", failover},
		{"Upgrading", upgrading},
		{"Lost", lost},
		{"Uninstalling", uninstalling},
		{"Documents", documents},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			defer w.report.timed(chapter.name)()
			defer w.keepEvidence(t)
			chapter.tell(t, w)
		})
	}
}
