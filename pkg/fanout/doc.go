// Package fanout pushes Canaries from the hub into its members. What is in it knows the hub:
//
//	hubwatch.go    how the hub's Canaries are listed and watched
//	parents.go     the hub's informer turns one into a parent: its selector parsed once
//	controller.go  an edited parent has every member that it concerns look at it
//	asked.go       what a member is told when it asks what should stand in a place
//	crd.go         whether the hub can be believed that a parent is gone
//	agents.go      all agents that are registered, and what is known of a parent's copies there
//	leaving.go     those that are not any more, whose members are being cleaned
//	statuses.go    which parents' statuses are to be looked at, and when
//	told.go        what replicas that share the members tell each other for that
//	status.go      one parent's: aggregated by package results, and written by applystatus.go when it is due
//	tally.go       what is remembered of a status for lists
//	tell.go        what is told to whoever asks (telling.go: in which words), and changes.go that something changed
//	mirrors.go     which mirrors of copies stand in the hub: mirrorplan.go bounds them, mirrorwrites.go writes them
//
// Package member holds what knows one member: it looks both ways, decides, writes and deletes. Package derive says what a copy is;
// both build on it, and it is pure.
package fanout
