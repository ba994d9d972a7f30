// Package preview says what would become of a parent's copies if the parent, or an agent's Secret, were as somebody is about to write it:
// which would be created, changed, pruned, refused or in conflict. It is pure: what is known goes in, and of each place in a member that
// it takes a look at the caller brings what stands there.
//
//	plan.go      the answer
//	targets.go   which agents it is about, and what is known of them without a look
//	decide.go    what would be done in one place
//	after.go     what would stand there then
//	diff.go      the lines in which that differs
package preview
