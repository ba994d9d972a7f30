// Package shard says which of several replicas works with which member, such that no two ever work with the same one.
//
//	assign.go   a view, which is a set of replicas, and whom it gives a key to; pure
//	replica.go  what one replica may work with, by what it and the others have announced and by its clock; pure
//	share.go    the work of one replica, which is begun and let go of as that changes
//	fence.go    nothing is sent any more where that time is over
//
// Package leases below it keeps a replica's announcement in a Lease of the hub, and reads those of the others. What the rules
// are and why they suffice is in docs/adr/0009.
package shard
