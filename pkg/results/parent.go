package results

import (
	"encoding/json"
	"fmt"
)

// Parent is what of a parent counts for its status.
type Parent struct {
	// Generation is the parent's own.
	Generation int64
	// Schedule is when its copies are run.
	Schedule Schedule
	// Paused says that they are not to be.
	Paused bool
	// Fault is what is wrong with its agentSelector, empty where it is valid. While it is not, the copies that there are stay.
	Fault string
}

// ReadParent reads a Canary as it came out of JSON. Fault is for the caller to fill in.
func ReadParent(canary map[string]any) Parent {
	metadata, _ := canary["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	spec, _ := canary["spec"].(map[string]any)
	schedule, interval := timesOf(spec)
	replicas, limited := number(spec["replicas"])
	generation, _ := number(metadata["generation"])
	return Parent{
		Generation: generation,
		Schedule:   ParseSchedule(schedule, interval),
		Paused:     annotations["suspend"] == "true" || limited && replicas == 0,
	}
}

// ScheduleOf returns when a Canary is run, in the words of a schedule; empty where it does not say.
func ScheduleOf(canary map[string]any) string {
	spec, _ := canary["spec"].(map[string]any)
	schedule, interval := timesOf(spec)
	if schedule == "" && interval > 0 {
		return fmt.Sprintf("@every %ds", interval)
	}
	return schedule
}

func timesOf(spec map[string]any) (schedule string, interval int64) {
	schedule, _ = spec["schedule"].(string)
	interval, _ = number(spec["interval"])
	return schedule, interval
}

// number reads a whole number as the decoders of JSON return it.
func number(value any) (n int64, ok bool) {
	switch value := value.(type) {
	case int64:
		return value, true
	case float64:
		return int64(value), true
	case json.Number:
		n, err := value.Int64()
		return n, err == nil
	default:
		return 0, false
	}
}
