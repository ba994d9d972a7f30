package e2e

import "testing"

// rollout is the guide's: a region first, then a country, then everywhere. The third cluster joins as an agent of the second step.
func rollout(t *testing.T, w *world) {
	in := w.aNamespace(t, "rollout")
	eu, us, other := w.member(t, "eu-west-prod"), w.member(t, "us-east-prod"), w.member(t, "ap-south-dev")
	w.deregister(t, other.name)
	w.registerAs(t, other, "us-west-prod")
	t.Cleanup(func() {
		w.deregister(t, "us-west-prod")
		w.register(t, other)
	})
	w.hub.apply(t, parent(in, "api-health", "us-east-prod"))
	w.isIn(t, in, "api-health", us)
	w.hub.apply(t, parent(in, "api-health", "us-*-prod"))
	w.isIn(t, in, "api-health", us, other)
	w.hub.apply(t, parent(in, "api-health", "*-prod"))
	w.isIn(t, in, "api-health", us, other, eu)
	t.Run("Back again", func(t *testing.T) {
		w.hub.apply(t, parent(in, "api-health", "us-east-prod"))
		w.isIn(t, in, "api-health", us)
	})
}
