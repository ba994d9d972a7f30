package results

// MaxSize bounds what a parent's status takes in the hub: its JSON, and what the API server notes in managedFields of who owns each of
// its fields, which is nearly as much again.
const MaxSize = 256 << 10

// reserved is for what is neither checkStatus nor errorMessage, and always short.
const reserved = 2 << 10

// listed returns the entries of the first of those lines, as many as fit beside that errorMessage into what MaxSize leaves.
func listed(order []*line, errorMessage string) map[string]any {
	entries := make(map[string]any, len(order))
	room := MaxSize - reserved - jsonSize(errorMessage)
	for _, l := range order {
		entry := l.entry()
		if room -= entry.size(l.name); room < 0 {
			break
		}
		entries[l.name] = entry.fields()
	}
	return entries
}

// size is what the entry takes under that name, in the status and in managedFields.
func (e *Entry) size(name string) int {
	const perField = len(`"":"",`) + len(`"f:":{},`)
	size := 2*jsonSize(name) + len(`:{},`) + len(`f::{".":{},},`)
	e.each(func(field, value string) {
		size += perField + 2*len(field) + jsonSize(value) - len(`""`)
	})
	return size
}
