// Package merged makes one answer of those of several controllers: of one that tells for all, or of replicas that share the members, each of
// which tells of its own.
//
//	ask.go    asks all of them at once
//	merge.go  what they know together
package merged
