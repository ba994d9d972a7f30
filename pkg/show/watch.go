package show

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Changes remembers what was shown, and so tells what has changed. The zero Changes remembers nothing.
type Changes struct {
	shown map[string]string
	rows  map[string]Row
}

// Of returns the rows of v that are new or other than the last time, and after them those that are gone, with Gone for their second cell.
// That merely time has gone on is no change.
func (c *Changes) Of(v *View) []Row {
	shown, rows := map[string]string{}, map[string]Row{}
	var changed []Row
	for _, row := range v.Rows {
		key := row.Name
		if len(row.Cells) > 0 && v.Kind == "Canary" {
			key = fmt.Sprint(row.Cells[0], " ", key) // which may be of several namespaces
		}
		data, _ := json.Marshal(row.Object)
		if shown[key], rows[key] = string(data), row; c.shown[key] != string(data) {
			changed = append(changed, row)
		}
	}
	for key, row := range c.rows {
		if _, still := rows[key]; !still {
			row.Cells = slices.Clone(row.Cells)
			row.Cells[stateColumn(v)] = "Gone"
			changed = append(changed, row)
		}
	}
	c.shown, c.rows = shown, rows
	return changed
}

// stateColumn is that of the State or Status.
func stateColumn(v *View) int {
	for i, column := range v.Columns {
		if column.Name == "State" || column.Name == "Status" {
			return i
		}
	}
	return 0
}
