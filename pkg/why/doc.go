// Package why explains how one parent fares on one agent: a chain of steps from the selector to the copy's own result, each of which is as
// it should be, is not, or is not known, and the next step to take. It is pure: it goes by what package api tells.
//
//	chain.go      the chain
//	selected.go   what the selector makes of the agent
//	agent.go      whether the agent can be worked with
//	copy.go       the copy, and what became of it
//	reasons.go    a sentence for each reason that fanout gives, and what to do
package why
