// Package member keeps one member in step with what the hub asks of it. It knows neither how the hub comes to ask nor any other
// member; what it needs of the hub is the interface Hub.
//
// One place's way, in the order of the files that it passes:
//
//	member.go      each member has a queue (queue.go) and workers of its own; sync(key) looks both ways
//	hub.go         what the hub asks for there
//	view.go        what the member holds: watch.go follows it, stream.go reads that, glance.go looks an object over, and
//	               observed.go trims of its spec what is new
//	place.go       what is remembered of a place besides, until it is forgotten in one go; packed.go keeps it small
//	said.go        what a copy's status says, read as the watch brings it; report.go tells the hub all that is known of a place
//	decide.go      the two compared: create, update, verify, delete, wait or nothing
//	apply.go       the write, and prune.go the delete; both carry what they were decided on
//	takeback.go    before a write that takes a list away: it is fanout's again, whoever wrote it last
//	terminating.go the wait for a deleted copy to go, and the report if it does not
//	errors.go      what an error means for the next attempt; fight.go holds back a write
package member
