// Package results makes a parent's status of what the members say: their copies' statuses in, the status of the parent out. It is
// pure: no client, no clock; what hangs on time takes the time as an argument and says when it would change by itself. In the order
// of the files:
//
//	read.go       what a copy's status says, trimmed to a Result of 300 bytes at most
//	parent.go     what of a parent counts, its schedule among it (schedule.go)
//	agent.go      what is known of one agent, and which of it counts where it is known twice (merge.go)
//	state.go      what that comes to at a time: passed, failed, stale, unreachable, …
//	entry.go      how it stands in the parent's checkStatus
//	aggregate.go  the whole status, bounded (bound.go)
//	summary.go    the same in values, of the parent and of each of its agents
//	mirror.go     one agent's as a status of its own
//	shown.go      what a parent's status says already: all that has to outlive a restart
//	leftovers.go  what has to go from it when a Canary becomes a parent, or is one no more
//	pace.go       when the next status is to be written
//	event.go      which Events a transition is worth
//
// Aggregate guarantees: the same knowledge gives the same status, whatever its order; the status and what the API server keeps
// beside it (managedFields) stay under MaxSize; all text in it is valid, on one line and free of control and direction characters; a
// status that was written is aggregated again to itself, also by a fanout that has just started.
package results
