// Package clusters turns Secrets in the hub into members that can be worked with, and knows nothing of what is
// done there.
//
// A Registry watches the Secrets of one namespace and runs one keeper per Secret, so that no member ever waits
// for another. A Secret registers a member in fanout's own format, Cluster API's or Argo CD's (format.go), and
// two that register one agent (names.go), or lead to one cluster (claims.go), are one member. Where several
// replicas share the members, each works with its own (share.go). A keeper parses
// the Secret, connects, proves the connection and the member's identity with one probe, and hands the member to
// a Handler; from then on it probes through the same connection, swaps credentials, and takes the member back
// when it can't be reached, is deregistered or has become another one. Of an agent that is registered and whose member is not
// handed over it tells the Handler, too, and why. The labels by which members are selected are those
// of Secrets (labels.go) and of Cluster API's Clusters (clusterapi.go).
package clusters
