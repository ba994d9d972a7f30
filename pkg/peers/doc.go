// Package peers has replicas tell each other what they know: each serves a stream of lines, JSON in each, to the others, and follows
// theirs; and each answers what the others ask it. It knows nothing of what is in either.
//
//	identity.go  the key that a replica makes for itself when it starts; the others know it by what the replica's Lease says
//	serve.go     tells those that ask
//	follow.go    asks all others, again and again
//	client.go    asks one of them, once
//
// Both sides of a connection prove that they hold the key which a live Lease names, so only who may write Leases in fanout's namespace
// can ask, or be believed. Nothing secret outlives a process.
package peers
