// Package look finds out what a preview takes: what a file says, what the hub would make of it, and what stands in the members. It changes
// nothing anywhere.
//
//	documents.go  the Canaries and the Secret in a file
//	hub.go        a Canary as the hub would hold it, by a dry run
//	parents.go    what would become of one parent's copies
//	agent.go      what would become of all parents' copies on one agent
package look
