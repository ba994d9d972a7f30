package selector

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// marksLabels finds what no glob may hold outside its own brackets and every entry over labels has.
var marksLabels = regexp.MustCompile(`=|[ \t]in[ \t]*\(|[ \t]notin[ \t]*\(`)

// isLabels tells whether an entry, without its `!`, is a label selector. What is within a glob's brackets or braces does not count.
func isLabels(entry string) bool {
	outside := entry
	if open := strings.IndexAny(entry, "[{"); open >= 0 {
		outside = entry[:open] // a label selector has neither, so what comes after does not matter
	}
	return marksLabels.MatchString(outside)
}

// addLabels takes in the label selector that starts there in the entry.
func (l *list) addLabels(entry string, start int, excludes bool) *PatternError {
	parsed, err := labels.Parse(entry[start:])
	if err != nil {
		if open := strings.LastIndexByte(entry, '('); open > strings.LastIndexByte(entry, ')') {
			return fault(open, "unclosed (")
		}
		return fault(start, "no label selector, such as tier=prod,region in (eu,us): %s", quote(err.Error()))
	}
	terms, _ := parsed.Requirements()
	for _, term := range terms {
		at := max(start, start+strings.Index(entry[start:], term.Key()))
		switch {
		case term.Operator() == selection.Exists, term.Operator() == selection.DoesNotExist:
			return fault(at, "%s alone: a name is an entry of its own, and a label is asked for by its values, as in %[1]s in (a,b)", term.Key())
		case term.Values().Has(""):
			return fault(at, "no value for %s, or an empty one", term.Key())
		}
	}
	if l.spent.terms += len(terms); l.spent.terms > MaxTerms {
		return fault(start, "the list comes to more than %d terms over labels", MaxTerms)
	}
	into := &l.selected
	if excludes {
		into = &l.excluded
	}
	into.labels = append(into.labels, parsed)
	return nil
}
