package kubeconfig

import (
	"fmt"
	"strconv"
	"strings"
)

// maxFaults bounds the faults of one error. Beyond it they are only counted.
const maxFaults = 12

// FieldError is one reason for which a kubeconfig, or an Argo CD cluster, is refused. Its text holds no value of it.
type FieldError struct {
	// Field is the path of the field, such as users[name=admin].user.exec or config.tlsClientConfig.caData. It is empty
	// for a kubeconfig as a whole.
	Field string
	// Line is the line of the fault, counted from 1, or 0 where there is none to tell.
	Line int
	// Problem says what is wrong with the field.
	Problem string
	// Fix says what to do instead.
	Fix string
}

func (e *FieldError) Error() string {
	var b strings.Builder
	if e.Field == "" {
		b.WriteString("the file")
	} else {
		b.WriteString(e.Field)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, " (line %d)", e.Line)
	}
	fmt.Fprintf(&b, " %s: %s", e.Problem, e.Fix)
	return b.String()
}

// RefusedError says why a kubeconfig is refused: every fault found, in the order of the file's sections.
// errors.As finds the first FieldError in it.
type RefusedError struct {
	// Faults holds at least one fault and a bounded number of them.
	Faults []*FieldError
	// Omitted counts the faults beyond that bound.
	Omitted int

	what phrase
}

func (e *RefusedError) Error() string {
	texts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		texts[i] = f.Error()
	}
	text := string(e.what) + " refused: " + strings.Join(texts, "; ")
	if e.Omitted > 0 {
		text += fmt.Sprintf("; and %d more", e.Omitted)
	}
	return text
}

// Unwrap returns the faults.
func (e *RefusedError) Unwrap() []error {
	errs := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		errs[i] = f
	}
	return errs
}

// A dialect is a way to write a client configuration down.
type dialect struct {
	what phrase
	// under is the place of what is read.
	under place
	// vocabulary is every field that the dialect has, accepted or not.
	vocabulary []phrase
}

// A phrase is text that this package wrote. Constants become one by themselves and a string from the file
// only by a conversion, which makes the compiler keep the file's content out of the errors.
type phrase string

// A place is a path in the configuration. It grows by phrases, indexes and names that passed printable.
type place string

func (p place) field(name phrase) place {
	if p == "" {
		return place(name)
	}
	return p + "." + place(name)
}

// below returns p as a place in another.
func (p place) below(other place) place {
	if p == "" || other == "" {
		return other + p
	}
	return other + "." + p
}

func (p place) entry(index int, name string) place {
	if printable(name) {
		return p + "[name=" + place(name) + "]"
	}
	return p + "[" + place(strconv.Itoa(index)) + "]"
}

// faults collects what is wrong with one configuration.
type faults struct {
	dialect
	found   []*FieldError
	omitted int
}

func (f *faults) add(at place, line int, problem, fix phrase) {
	if f.full() {
		f.omitted++
		return
	}
	f.found = append(f.found, &FieldError{Field: string(at.below(f.under)), Line: line, Problem: string(problem), Fix: string(fix)})
}

func (f *faults) full() bool { return len(f.found) == maxFaults }

func (f *faults) count() int { return len(f.found) + f.omitted }

func (f *faults) err() error {
	if len(f.found) == 0 {
		return nil
	}
	return &RefusedError{Faults: f.found, Omitted: f.omitted, what: f.what}
}
