// Package statuses tells what the objects in the hub tell, where no controller can be asked: the parents with their statuses, and the
// Secrets that register members as far as whoever asks may read them. It is an api.Source that says of all else that it is not known here.
//
//	source.go    the Source, and what it lacks
//	recent.go    the same for those who ask for one Canary after the other
//	canary.go    a parent's status as package api has it
//	agents.go    the agents: of Secrets, and of statuses where those can't be read
package statuses
