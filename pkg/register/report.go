package register

import "fmt"

// say tells a step that has been done.
func (o *Options) say(format string, args ...any) {
	suffix := ""
	if o.DryRun == DryRunClient || o.DryRun == DryRunServer {
		suffix = fmt.Sprintf(" (%s dry run)", o.DryRun)
	}
	fmt.Fprintf(o.Out, format+suffix+"\n", args...)
}

// warn tells what is not as it should be and stops nothing.
func (o *Options) warn(format string, args ...any) {
	fmt.Fprintf(o.Out, "Warning: "+format+"\n", args...)
}

// done names what happened to an object by its versions before, "" where there was none, and after.
func (o *Options) done(before, after string) string {
	switch {
	case before == "":
		return "created"
	case before == after:
		return "unchanged"
	default:
		return "configured"
	}
}
