// Package register lets fanout into a member and out of it again, for the person who runs fanout register and deregister.
//
// Register works as that person in both clusters. In the member it makes the identity of docs/manifests/member.yaml and
// obtains a credential for it, proves that as the controller will use it, writes the Secret that registers the member in the
// hub, and waits for what the controller says. Only then does it remove what an earlier run made and this one does not want,
// so that a rotation has no gap. A run that was interrupted is mended by the next.
//
// What it makes in a member carries the hub's ID as a label and the agent's name as an annotation. It changes nothing that
// carries another hub's ID, and removes nothing but what carries both of its own.
package register
