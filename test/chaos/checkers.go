package chaos

// checked are the members where a stand-in for canary-checker is at work, and comes and goes: the first is there from the start,
// the second comes when an operation says so. The others never have one.
var checked = members[:2]

// checkerComesOrGoes starts the stand-in of a member, or stops it. While it is away nobody takes its finalizer off.
func (r *round) checkerComesOrGoes(n numbers) string {
	name := checked[n[0]%len(checked)]
	if r.checkers[name] != nil {
		r.stopChecker(name)
		return "goes from " + name
	}
	r.startChecker(name)
	return "comes to " + name
}

func (r *round) startChecker(name string) {
	if r.checkers[name] == nil {
		r.checkers[name] = r.w.clusters[name].StartChecker(r.t)
	}
}

func (r *round) stopChecker(name string) {
	if stop := r.checkers[name]; stop != nil {
		stop()
		delete(r.checkers, name)
	}
}
