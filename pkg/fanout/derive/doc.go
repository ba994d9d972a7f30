// Package derive says what a derived Canary is: where it stands and what marks it (names.go), what is in it (derive.go), what
// identifies that (hash.go), and what of it canary-checker's own writes make no difference to (roundtrip.go). The hub's side
// derives copies, and a member's side compares them with what it holds; neither knows the other.
//
// It is pure: values in, values out.
package derive
