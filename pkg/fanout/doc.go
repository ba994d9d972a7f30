// Package fanout pushes Canaries from the hub into its members.
//
// One Canary's way, in the order of the files that it passes:
//
//	parents.go     the hub's informer turns a Canary into a Parent: its selector parsed once
//	controller.go  an edited Parent is enqueued for every member that it concerns
//	member.go      each member has a queue and workers of its own; sync(key) looks both ways
//	derive.go      Derive(parent, hub, agent) says what the member should hold
//	view.go        what the member does hold: watch.go brings it, observed.go trims it of its spec
//	roundtrip.go   what canary-checker's own writes make no difference to, in the hub and in the member
//	decide.go      the two compared: create, update, verify, delete, wait or nothing
//	apply.go       the write, and prune.go the delete; both carry what they were decided on
//	takeback.go    before a write that takes a list away: it is fanout's again, whoever wrote it last
//	terminating.go the wait for a deleted copy to go, and the report if it does not
//	errors.go      what an error means for the next attempt; fight.go and crd.go hold back a write or a prune
//
// What is pure (derive, decide) takes values and returns values. What talks to one member knows neither
// the hub nor the other members.
package fanout
