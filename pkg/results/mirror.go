package results

// Status returns a status that shows l alone, in the fields that its copy's has.
func (l *Line) Status() map[string]any {
	entry := Entry{
		ErrorMessage: l.Error, Uptime: l.Uptime, Latency: l.Latency, LastCheck: l.LastCheck.String(), LastTransitioned: l.Transitioned.String(),
		Message: head{state: l.State, last: l.Before, out: l.Out.Reason}.of(l.Text),
	}
	status := entry.fields()
	status["status"] = l.State.String()
	return status
}

// ReadLine identifies what such a status says: all of it, and what of it is a transition.
func ReadLine(status any) (whole, shape Digest) {
	fields, _ := status.(map[string]any)
	entry := readEntry(fields)
	head, _ := entry.head()
	var all, some digester
	all.add(scalar(fields["status"]))
	entry.each(func(name, value string) { all.add(name, value) })
	some.add(scalar(fields["status"]), head.of(""))
	return all.sum(), some.sum()
}
