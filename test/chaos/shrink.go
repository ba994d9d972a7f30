package chaos

// shrink looks for a shorter list of operations that still fails, by leaving out ever smaller parts of it, with no more than
// that many attempts. It returns the shortest that failed, which is all of them where none did.
func shrink(operations []operation, attempts int, fails func([]operation) bool) []operation {
	for parts := 2; attempts > 0 && len(operations) > 1; {
		size := (len(operations) + parts - 1) / parts
		shorter := false
		for start := 0; start < len(operations) && attempts > 0; start += size {
			rest := append(append([]operation{}, operations[:start]...), operations[min(start+size, len(operations)):]...)
			attempts--
			if fails(rest) {
				operations, shorter = rest, true
				break
			}
		}
		switch {
		case shorter:
			parts = max(2, parts-1)
		case size == 1:
			return operations
		default:
			parts = min(2*parts, len(operations))
		}
	}
	return operations
}
