// Package show renders what package api tells: as tables for people, and as JSON, YAML, names or columns for programs. It is pure but for
// the writer that it prints to:
//
//	view.go       what a command shows, whatever the format
//	agents.go     the agents, a line each
//	canaries.go   the parents, a line each
//	copies.go     one parent's copies, a line per agent
//	matches.go    which agents a list of entries selects
//	chain.go      why a parent fares on an agent as it does
//	narrow.go     the same of some agents only
//	printer.go    the formats that -o names, and columns.go one of them
//	watch.go      what has changed since it was printed last
//	clean.go      a writer that no text from elsewhere gets through with anything but text
package show
