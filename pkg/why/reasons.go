package why

// reason is a sentence on one of the words that Events, states and docs/behaviour.md have, and what to do. In what to do
// AGENT, SECRET, HOME, PARENT, SPACE and COPY stand for names: the agent's, its Secret's and that one's namespace, the parent's and its
// namespace, and the copy's.
type reason struct{ text, next string }

// Sentence returns what a reason means, empty where it is none.
func Sentence(word string) string { return reasons[word].text }

const (
	reach       = "see what stands in the way: fanout check --members, and kubectl -n HOME events --for secret/SECRET; nothing is lost there, and it is brought up to date at once when it is back"
	again       = "give it a new credential: fanout register AGENT --member-context CONTEXT"
	wait        = "wait: it is tried again at growing intervals, up to a few minutes"
	lookAtCheck = "look at the check itself, in the member: kubectl describe canary -n SPACE COPY"
	inMember    = "see that canary-checker runs in the member and watches this namespace: kubectl get pods -A -l app.kubernetes.io/name=canary-checker"
)

var reasons = map[string]reason{
	// How an agent is.
	"Connected":    {"the member works", ""},
	"Connecting":   {"the member has not been reached yet", "wait a moment; if that stays so: fanout check --members"},
	"Unreachable":  {"the member does not answer", reach},
	"Unauthorized": {"the member does not take the credential (401)", again},
	"Forbidden":    {"the member refuses what fanout asks for (403): the credential lacks a right", "grant it, which registering again does: fanout register AGENT --member-context CONTEXT"},
	"Refused":      {"the Secret that registers it is not acceptable", "mend the Secret SECRET, or write it anew: fanout register AGENT --member-context CONTEXT"},
	"Leaving":      {"it is being deregistered, and its copies are being removed", "register it again if that is not meant: fanout register AGENT --member-context CONTEXT"},

	// What else is said of its Secret.
	"Renewed":              {"a changed kubeconfig is in use", ""},
	"Replaced":             {"the kubeconfig leads to another cluster than before; what was put into that one stays there", ""},
	"CredentialExpiring":   {"its credential ends soon", again},
	"CredentialExpired":    {"its credential has ended", again},
	"ClusterLabelsUnread":  {"the labels of Cluster API's Cluster do not count, since they can't be read", "grant the right to read Clusters: docs/manifests/hub-capi.yaml"},
	"ClusterLabelsUnknown": {"whether the labels of Cluster API's Cluster count is not known yet, so nothing is written there or removed", "see why the hub does not tell: kubectl get clusters.cluster.x-k8s.io -A"},
	"Deregistered":         {"it was deregistered", "register it: fanout register AGENT --member-context CONTEXT"},
	"CleanupTimedOut":      {"it was deregistered, and what was in it was left behind", "remove it as the Event says"},

	// Why a copy is not as its parent asks.
	"InvalidAgentSelector": {"the agentSelector does not parse, so the copies that there are stay as they are", "mend the entry: kubectl edit canary -n SPACE PARENT; fanout match ENTRY says whether one parses"},
	"NamespaceNotAllowed":  {"the member takes no Canaries from this namespace", "ask the member's owner to allow it: kubectl -n HOME annotate secret SECRET --overwrite fanout.flanksource.com/namespaces=…; or take the agent out of agentSelector"},
	"Waiting":              {"the copy is about to be written, or removed", "wait a moment, and ask again"},
	"Conflict":             {"something that is not this hub's stands in the copy's place, and stays as it is", "delete or rename one of the two, or hand it over, in the member: kubectl annotate canary -n SPACE COPY fanout.flanksource.com/adopt=true"},
	"Contested":            {"another writer keeps undoing what fanout writes to the copy", "find out who, in the member, and stop it: kubectl get canary -n SPACE COPY -o yaml --show-managed-fields"},
	"Terminating":          {"finalizers hold the copy that was deleted", "see that canary-checker runs in the member, which takes its own off: kubectl get canary -n SPACE COPY -o jsonpath={.metadata.finalizers}"},
	"CanaryCRDMissing":     {"the member does not serve Canaries", "install canary-checker's CRDs in the member; that is noticed within seconds"},
	"UnknownField":         {"the member's Canary CRD does not know a field that the parent sets", "bring canary-checker's CRDs in the member up to date, or take the field out of the parent"},
	"Altered":              {"the member's CRD or an admission webhook did not keep a field as it was sent", "bring canary-checker's CRDs in the member up to date, or find the webhook: kubectl get mutatingwebhookconfigurations"},
	"NamespaceMissing":     {"the copy's namespace is not in the member, and fanout does not create it (--create-namespaces=false)", "create it, in the member: kubectl create namespace SPACE"},
	"NamespaceTerminating": {"the copy's namespace is being deleted in the member; then it is created again, with its copies", "wait; if it stays, see what holds it, in the member: kubectl get namespace SPACE -o yaml"},
	"Rejected":             {"the member's API server does not accept the copy", "change the parent as the message says: kubectl edit canary -n SPACE PARENT"},
	"Throttled":            {"the member's API server says that it is asked too often", "wait: it is tried again when the member says"},
	"Unavailable":          {"the member's API server failed the request", wait},
	"HubUnknown":           {"the copy is not pruned, since the hub can't be believed to have no parent of it", "wait until the hub answers and serves Canaries: kubectl get canaries -A"},

	// What is said of mirrors, which are not the copies.
	"MirrorConflict": {"something else stands in the hub where the mirror of a copy should", "delete or rename it, in the hub: kubectl get canary -n SPACE PARENT.AGENT"},
	"MirrorLimit":    {"the copies are not mirrored in the hub, since that would be more mirrors than are allowed", "raise --mirror-limit, if the hub is to hold as many"},

	// How a copy fares.
	"Pending":   {"it has not been run yet", inMember},
	"Paused":    {"it is not to be run: the parent has replicas: 0 or the annotation suspend", "set replicas to 1, or take the annotation off: kubectl edit canary -n SPACE PARENT"},
	"Missing":   {"the copy is not there, so nothing runs", ""},
	"Stale":     {"it was not run when it should have been", inMember},
	"Invalid":   {"canary-checker can't run it as it is", lookAtCheck},
	"Failed":    {"the check fails there", lookAtCheck},
	"InSync":    {"every copy is as the parent asks", ""},
	"Failing":   {"agents fail that did not", ""},
	"Recovered": {"no agent fails any more", ""},
}
