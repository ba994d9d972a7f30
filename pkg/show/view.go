package show

import (
	"cmp"
	"io"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"fanout/pkg/results"
)

// A View is what a command shows.
type View struct {
	// Kind is that of a row's object. Whole, all of the answer for programs, is of WholeKind.
	Kind, WholeKind string
	Whole           any
	Columns         []metav1.TableColumnDefinition
	Rows            []Row
	// Above is what stands above the rows where people read them.
	Above *View
	// Text writes all of it for people, where that is no table.
	Text func(io.Writer)
	// Empty says in words that there are no rows.
	Empty string
}

// A Row is one thing.
type Row struct {
	// Name is how -o name has it, unique within a View.
	Name   string
	Cells  []any
	Object any
}

// column defines one for each format, wide one that only -o wide shows.
func column(name string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: "string"}
}

func wide(name string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: "string", Priority: 1}
}

// nothing stands in a cell that would be empty.
const nothing = "-"

// text is s on one line, without what is not printed.
func text(s string) string {
	return cmp.Or(results.Harmless(s), nothing)
}

// age is how long ago something was, by the clock of whoever told.
func age(at *time.Time, now time.Time) string {
	if at == nil || at.IsZero() {
		return nothing
	}
	return duration.HumanDuration(max(now.Sub(*at), 0))
}

// until is how long something lasts.
func until(at *time.Time, now time.Time) string {
	switch {
	case at == nil || at.IsZero():
		return nothing
	case at.After(now):
		return duration.HumanDuration(at.Sub(now))
	default:
		return "ended " + duration.HumanDuration(now.Sub(*at)) + " ago"
	}
}

func count(n int) string { return strconv.Itoa(n) }
