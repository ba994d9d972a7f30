package bench

// limits are what a figure may be at the most, with some room above what was measured. None is a time: what a machine is busy with
// besides has no part in them.
var limits = map[string]float64{
	"bulk-requests":           1.05,
	"beside-checker-requests": 1.05,
	"linearity-requests":      1.05,
	"idle-requests":           1.1,
	"status-storm-watched":    1.05,

	"status-storm-hub-writes": 15, // one in 0.7 s, and the first

	"noop-restart-writes": 0,
	"status-storm-writes": 0,
	"take-in-writes":      0,
	"hub-writes":          0,
	"hub-writes-bytes":    0,
	"hub-writes-events":   2,
	"failover-lost":       0,
	"failover-doubled":    0,
	"shards-strangers":    0,
	"shards-doubled":      0,

	"member-goroutines":   5,
	"member-memory":       190, // KiB
	"member-memory-used":  110,
	"derived-memory-used": 1.3,
	"result-memory":       300, // bytes
}
