package results

// Leftovers returns what of a parent's status has to go before a is applied, as the status of a JSON merge patch; nil where that is
// nothing, as it nearly always is. Server-side apply can't do it: it takes nothing away that another manager owns, as what
// canary-checker has left there of a Canary that it ran before it became a parent; and when it takes the last entry out of
// checkStatus, it makes a null of it, which the CRD refuses.
func (a *Aggregated) Leftovers(status any) map[string]any {
	fields, _ := status.(map[string]any)
	patch := map[string]any{}
	if lastCheck, isThere := fields["lastCheck"]; isThere && lastCheck != nil && !agentsIn.MatchString(scalar(fields["message"])) {
		patch["lastCheck"] = nil
	}
	next, _ := a.Status["checkStatus"].(map[string]any)
	entries, _ := fields["checkStatus"].(map[string]any)
	gone := map[string]any{}
	for name, value := range entries {
		value, _ := value.(map[string]any)
		if len(next) == 0 || !readEntry(value).hasState() {
			gone[name] = nil
		}
	}
	if len(gone) > 0 {
		patch["checkStatus"] = gone
	}
	if len(patch) == 0 {
		return nil
	}
	return patch
}

// Farewell returns what takes all that is fanout's out of the status of a Canary that is no parent any more, as the status of a JSON merge
// patch; nil where nothing is.
func Farewell(status any) map[string]any {
	fields, _ := status.(map[string]any)
	if !agentsIn.MatchString(scalar(fields["message"])) {
		return nil
	}
	patch, gone := map[string]any{}, map[string]any{}
	for _, field := range scalars {
		patch[field] = nil
	}
	for name := range ReadEntries(status) {
		gone[name] = nil
	}
	if len(gone) > 0 {
		patch["checkStatus"] = gone
	}
	return patch
}
