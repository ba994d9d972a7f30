package kubeconfig

// MaxSize is the size in bytes beyond which a kubeconfig is refused unread. A kubeconfig has some kilobytes, and
// a Secret holds at most one megabyte.
const MaxSize = 256 << 10

// Parse reads a kubeconfig, YAML or JSON, and returns the configuration of its current context.
//
// A configuration that can't be accepted as a whole is refused as a whole: the error is then a *RefusedError that
// holds every fault found, up to a bound. Parse returns no other error, and never panics.
func Parse(data []byte) (*Config, error) {
	f := faults{dialect: dialect{what: "kubeconfig", vocabulary: vocabulary}}
	top, ok := readDocument(data, &f)
	if !ok {
		return nil, f.err()
	}
	var a accepted
	cluster, user := readCurrent(top)
	if cluster != nil {
		readCluster(cluster, &a)
	}
	if user != nil {
		readUser(user, &a)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return newConfig(a), nil
}
