package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// figure is something measured. Floor and ratio are there where it was set against the floor.
type figure struct {
	Name       string   `json:"name"`
	Value      float64  `json:"value"`
	Unit       string   `json:"unit"`
	Floor      *float64 `json:"floor"`
	Ratio      *float64 `json:"ratio"`
	Conditions string   `json:"conditions"`
}

// figures are all that a run measures.
type figures struct{ Figures []figure }

// add records a figure, and holds it to its limit where there is one.
func (f *figures) add(t *testing.T, name string, value float64, unit, conditions string) {
	t.Helper()
	f.put(t, figure{Name: name, Value: value, Unit: unit, Conditions: conditions})
}

// against records a figure and its floor.
func (f *figures) against(t *testing.T, name string, value, floor float64, unit, conditions string) {
	t.Helper()
	ratio := value / floor
	f.put(t, figure{Name: name, Value: value, Unit: unit, Floor: &floor, Ratio: &ratio, Conditions: conditions})
}

func (f *figures) put(t *testing.T, one figure) {
	t.Helper()
	f.Figures = append(f.Figures, one)
	t.Log(one.row())
	if limit, ok := limits[one.Name]; ok && one.Value > limit {
		t.Errorf("%s is %.4g %s, and may be %.4g", one.Name, one.Value, one.Unit, limit)
	}
}

func (f figure) row() string {
	row := fmt.Sprintf("| `%s` | %.4g %s |", f.Name, f.Value, f.Unit)
	if f.Floor != nil {
		row += fmt.Sprintf(" %.4g | %.2f |", *f.Floor, *f.Ratio)
	} else {
		row += " | |"
	}
	return row + " " + f.Conditions + " |"
}

// write puts the figures into bench.json, and prints them as the table of docs/performance.md.
func (f *figures) write(t *testing.T) {
	t.Helper()
	data, err := json.MarshalIndent(map[string]any{"figures": f.Figures}, "", "  ")
	if err == nil {
		err = os.MkdirAll(*output, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*output, "bench.json"), append(data, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
	fmt.Println("\n| figure | value | floor | ratio | conditions |\n|---|---|---|---|---|")
	for _, one := range f.Figures {
		fmt.Println(one.row())
	}
}

// median is the middle one, or the lower of two.
func median[T int | float64 | time.Duration](values []T) T { return percentile(values, 50) }

// percentile is the smallest value that so many percent of all are not greater than.
func percentile[T int | float64 | time.Duration](values []T, percent int) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
