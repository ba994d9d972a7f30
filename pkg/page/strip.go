package page

import "math"

// strip is how values lie along an axis of stripWidth: as dots while they are few, as columns and the dots outside of the middle when
// they are many.
type strip struct {
	Dots    []dot
	Columns []bar
	// Low, Middle and High are where a quarter, half and three quarters of the values end; all the same where there is one value.
	Low, Middle, High float64
	Single            bool
	IsThere           bool
}

// Span is how wide the middle half is.
func (s strip) Span() float64 { return round(max(1, s.High-s.Low)) }

type dot struct {
	X, Y  float64
	Bad   bool
	Title string
}

type bar struct {
	X, Y, Width, Height float64
	Bad                 bool
}

const (
	dotsUpTo  = 80 // values: more of them are drawn as columns
	dotRadius = 2.5
	binWidth  = 6.0
)

// newStrip draws values, which are in order and at least one, in places.
func newStrip(values []value, place func(float64) float64) strip {
	in := func(v float64) float64 { return round(max(dotRadius, min(place(v), stripWidth-dotRadius))) }
	s := strip{IsThere: true, Single: len(values) == 1, Low: in(at(values, 0.25)), Middle: in(at(values, 0.5)), High: in(at(values, 0.75))}
	bins := make([][]value, int(stripWidth/binWidth)+1)
	most := 0
	for _, v := range values {
		bin := int(in(v.of) / binWidth)
		bins[bin] = append(bins[bin], v)
		most = max(most, len(bins[bin]))
	}
	for i, bin := range bins {
		switch {
		case len(bin) == 0:
		case len(values) <= dotsUpTo:
			s.stack(bin, in)
		default:
			s.column(i, bin, most)
		}
	}
	return s
}

// stack puts dots that would lie on each other beside each other, from the axis's middle on.
func (s *strip) stack(bin []value, in func(float64) float64) {
	step := min(2*dotRadius+0.5, (stripHeight-2*dotRadius)/max(1, float64(len(bin)-1)))
	for i, v := range bin {
		y := stripHeight/2 + (float64(i)-float64(len(bin)-1)/2)*step
		x := in(v.of)
		if len(bin) > 1 {
			x = round(math.Floor(x/binWidth)*binWidth + binWidth/2)
		}
		s.Dots = append(s.Dots, dot{X: x, Y: round(y), Bad: v.bad, Title: v.name})
	}
}

// column is as high as there are values in it, by a root, so that a single one can be seen beside hundreds; those that fare badly are its foot.
func (s *strip) column(i int, bin []value, most int) {
	bad := 0
	for _, v := range bin {
		if v.bad {
			bad++
		}
	}
	height := max(2, math.Sqrt(float64(len(bin))/float64(most))*(stripHeight-2))
	foot := 0.0
	if bad > 0 {
		foot = max(2, height*float64(bad)/float64(len(bin)))
	}
	c := bar{X: float64(i) * binWidth, Width: binWidth - 1, Y: round(stripHeight - height), Height: round(height - foot)}
	if c.Height > 0 {
		s.Columns = append(s.Columns, c)
	}
	if foot > 0 {
		s.Columns = append(s.Columns, bar{X: c.X, Width: c.Width, Y: round(stripHeight - foot), Height: round(foot), Bad: true})
	}
}

func round(v float64) float64 { return math.Round(v*10) / 10 }
