package results

// MaxSize bounds what a parent's status takes in the hub: its JSON, and what the API server notes in managedFields of who owns each of
// its fields, which is nearly as much again.
const MaxSize = 256 << 10

// reserved is for what is not checkStatus.
const reserved = 32 << 10

// fitting returns the first of those lines that fit into what MaxSize leaves.
func fitting(order []*line) []*line {
	room := MaxSize - reserved
	for i, l := range order {
		if room -= l.size(); room < 0 {
			return order[:i]
		}
	}
	return order
}

// size is what an entry takes, in the status and in managedFields.
func (l *line) size() int {
	const perField = len(`"":"",`) + len(`"f:":{},`)
	size := 2*jsonSize(l.name) + len(`:{},`) + len(`f::{".":{},},`)
	l.Entry.each(func(name, value string) {
		size += perField + 2*len(name) + jsonSize(value) - len(`""`)
	})
	return size
}
