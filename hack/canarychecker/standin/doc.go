// Package standin is a stand-in for canary-checker, for tests and the demo: it does to the Canaries of a cluster what a real
// one was seen to do, and needs no database. What it does, in the order of the files:
//
//	run.go        follows the Canaries of a cluster, whatever becomes of their CRD and the API server
//	reconcile.go  takes a new Canary in, by its finalizer and a round trip; follows edits; lets a deleted one go
//	roundtrip.go  what canary-checker's Go types make of a spec that they read and write
//	schedule.go   when a Canary is run
//	probe.go      http, tcp and dns checks, which are really performed; all others fail and say so
//	status.go     what one run makes of the status
//
// What it was held to is recorded from canary-checker v1.2.1-beta.7; TestCheckerWritesWhatWasRecorded in test/integration compares the two.
package standin
