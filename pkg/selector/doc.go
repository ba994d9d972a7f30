// Package selector reads a Canary's agentSelector, a list of patterns over
// agent names and of label selectors, and tells which agents it selects.
//
// # Rules
//
//   - An entry is a pattern, or a label selector if it says so (see below). What
//     follows of patterns goes for both.
//   - A pattern selects the agents it matches. A pattern after a `!` excludes
//     them, and an exclusion wins wherever it stands in the list.
//   - A list of exclusions only selects every agent but those excluded.
//   - An empty list selects nothing.
//   - Case does not matter, neither do blanks around a pattern or after its `!`.
//   - [Local], the hub itself, is no agent: only the word itself speaks of it.
//     `local` selects it and `!local` excludes it; no glob does either, and
//     neither does a list of exclusions. So `*` and `!*` remain opposites, "all
//     agents" and "no agent", and ["local", "!lo*"] is the hub without the
//     agents in London. In ["local", "!local"] the exclusion wins, as always.
//
// # Patterns
//
// A pattern is a glob as [github.com/gobwas/glob] knows them, in the alphabet of
// agent names:
//
//	a-z 0-9 - .  themselves
//	*            any characters, dots too, or none
//	?            one character
//	[abc] [a-c]  one of this set, one of this range
//	[!abc]       one that is not
//	{eu,us-*}    either of these patterns; braces nest
//
// A class is one set or one range: [a-z0-9] is not a class.
//
// Agents are named like Secrets: letters, digits, `-` and `.`, at most
// [MaxNameBytes] of them. So this package is ASCII throughout. A pattern is
// lower-cased before it is read, and so is a name before it is matched: [A-C]
// matches `b`, and [Z-a] is [z-a], a range that runs backwards.
//
// Everything else is refused. A pattern with another character, whether `_`, a
// `\`, or a comma outside braces, could match no agent. It is a mistake, and to
// take it for a selection of nothing would remove what is deployed. For the same
// reason a blank entry, or a lone `!`, is an error: most likely a template's
// value is missing, and neither "no agent" nor "all agents" is what was meant.
//
// # Labels
//
// An entry that has `=`, ` in (` or ` notin (` outside brackets and braces is a
// Kubernetes label selector, as `tier=prod,region in (eu,us)`: it selects the
// agents of which all its terms are true. No pattern could hold any of these
// before there were labels, so none has changed its meaning. Its case matters.
// Each term has to name values: a key alone is more likely an agent's name, and an
// empty value a template's that is missing. Labels never speak of [Local].
// See docs/adr/0006-selecting-by-labels.md.
//
// # Bounds
//
// Patterns come from users. The constants in this package bound what Parse
// accepts, and thereby the work of Parse and Matches: at most 1.3 million
// character comparisons for one name, whatever the patterns.
// See docs/adr/0001-selector-bounds.md.
package selector
