package bench

// limits are what a figure may be at the most, with some room above what was measured. None is a time: what a machine is busy with
// besides has no part in them.
var limits = map[string]float64{}
