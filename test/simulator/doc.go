// Package simulator serves thousands of members from one process, each with an address, a certificate and connections of its own,
// so that fanout can be measured against more members than API servers fit on a machine. It answers the requests that fanout
// makes as a real API server does, and no others; conformance_test.go holds both to the same answers.
//
// A request's way, in the order of the files that it passes:
//
//	simulator.go  the listeners, a member behind each
//	faults.go     a member that is slow, dead or a black hole
//	request.go    who is asked for what; answer.go how that is answered
//	list.go       lists, and watch.go watches
//	apply.go      server-side apply, as Kubernetes' own library does it
//	alone.go      a shorter way to the same, for what one manager alone keeps; alone_test.go holds it to the long one
//	patch.go      merge patches, and remove.go deletes
//	member.go     what a member holds, and what happened there lately
//	object.go     one Canary, which shares with others what it has in common with them
//	schema.go     what the Canary CRD says about them
//
// Whoever started it controls it through control.go, by way of client.go: faults, canary-checker's part (checker.go and storm.go),
// and counts.
package simulator
