package selector

// join appends alternatives to the sequence. A single one is no choice and goes
// in as it is, so every choice at least doubles what the sequence comes to, and
// spelling it out costs no more than the result is long.
func (s sequence) join(alternatives []sequence) sequence {
	if len(alternatives) > 1 {
		return append(s, part{alternatives: alternatives})
	}
	for _, p := range alternatives[0] {
		if p.alternatives != nil {
			s = append(s, p)
		} else {
			s = s.joinText(p.text)
		}
	}
	return s
}

func (s sequence) joinText(text string) sequence {
	if last := len(s) - 1; last >= 0 && s[last].alternatives == nil {
		s[last].text += text
		return s
	}
	return append(s, part{text: text})
}

// count returns how many patterns spell would return, or some number above
// MaxAlternatives if there are more than that.
func (s sequence) count() int {
	product := 1
	for _, p := range s {
		if p.alternatives == nil {
			continue
		}
		sum := 0
		for _, a := range p.alternatives {
			sum += a.count()
		}
		product = min(product*sum, MaxAlternatives+1)
	}
	return product
}

// spell returns the patterns without braces that together match what the
// sequence matches.
func (s sequence) spell() []string {
	spelled := []string{""}
	for _, p := range s {
		ends := []string{p.text}
		if p.alternatives != nil {
			ends = ends[:0]
			for _, a := range p.alternatives {
				ends = append(ends, a.spell()...)
			}
		}
		joined := make([]string, 0, len(spelled)*len(ends))
		for _, begin := range spelled {
			for _, end := range ends {
				joined = append(joined, begin+end)
			}
		}
		spelled = joined
	}
	return spelled
}
