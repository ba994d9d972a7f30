package clusters

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// No member is probed more often than once in a period, and members that joined at different moments are probed at few.
func TestProbesComeSeveralAtATime(t *testing.T) {
	const period, members = 10 * time.Second, 1000
	moments := map[time.Time]bool{}
	for i := range members {
		joined := monday.Add(period * time.Duration(i) / members)
		k := &keeper{Registry: &Registry{options: Options{ProbePeriod: period, Clock: clocktesting.NewFakeClock(joined)}}}
		wait := k.untilProbe()
		if wait < period || wait > period*5/4 {
			t.Fatalf("it is probed after %s", wait)
		}
		moments[joined.Add(wait)] = true
	}
	if len(moments) > members/8 {
		t.Errorf("%d members that joined within a period are probed at %d moments", members, len(moments))
	}
}
