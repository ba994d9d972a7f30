package api

import "time"

// Agents answers GET /api/v1/agents. With namespaces (?namespace=, once or more often) the items' numbers are of the Canaries in these alone.
type Agents struct {
	Teller Teller  `json:"teller"`
	Items  []Agent `json:"items"`
}

// Canaries answers GET /api/v1/canaries, of all namespaces or one (?namespace=). The items have no copies.
type Canaries struct {
	Teller Teller   `json:"teller"`
	Items  []Canary `json:"items"`
}

// OneCanary answers GET /api/v1/canaries/NAMESPACE/NAME.
type OneCanary struct {
	Teller Teller `json:"teller"`
	Canary Canary `json:"canary"`
}

// OneFound answers GET /api/v1/agents/AGENT/canaries/NAMESPACE/NAME.
type OneFound struct {
	Teller Teller `json:"teller"`
	Found  Found  `json:"found"`
}

// Problem answers a request that can't be served, with the HTTP status that goes with it.
type Problem struct {
	// Error is what is wrong, and what to do.
	Error string `json:"error"`
}

// Teller is whose knowledge an answer is.
type Teller struct {
	// Version is fanout's.
	Version string `json:"version"`
	// Hub is the hub's ID.
	Hub string `json:"hub"`
	// Time is when it answered, by its own clock.
	Time time.Time `json:"time"`
	// Replica is the name of a replica that shares the members with others, where it tells of its own alone, and of the parents whose
	// statuses it writes. Empty where one tells of all.
	Replica string `json:"replica,omitempty"`
	// Silent are those that share the members and were asked, but did not answer: what they know is missing.
	Silent []string `json:"silent,omitempty"`
	// Namespaces are the only ones that whoever asks may see, and that this tells of. Empty where that is all.
	Namespaces []string `json:"namespaces,omitempty"`
}

// Agent is a member as selectors see it.
type Agent struct {
	Name string `json:"name"`
	// Secret is the name of the Secret that registers it; empty for local, which is the hub.
	Secret string `json:"secret,omitempty"`
	// State is Connected, or why it can't be worked with: see docs/register.md.
	State string `json:"state"`
	// Since is when it came into that state, or when this controller found it in it.
	Since time.Time `json:"since"`
	// Detail is what is wrong, and what to do.
	Detail string `json:"detail,omitempty"`
	// Labels are those by which it is selected.
	Labels map[string]string `json:"labels,omitempty"`
	// Namespaces are the patterns of the hub's namespaces that it takes Canaries from; empty is all.
	Namespaces []string `json:"namespaces,omitempty"`
	// ServerVersion is the member's, as v1.35.0; empty while it is not known.
	ServerVersion string `json:"serverVersion,omitempty"`
	// CredentialExpires is when the credential in use ends, where that is known.
	CredentialExpires *time.Time `json:"credentialExpires,omitempty"`
	// Selected is how many parents select it; of these InSync and OutOfSync are as they should be or not, where that is known, and
	// Failing run and fail.
	Selected  int `json:"selected"`
	InSync    int `json:"inSync"`
	OutOfSync int `json:"outOfSync"`
	Failing   int `json:"failing"`
	// Events are the last five that this controller put on its Secret since it began, the latest first.
	Events []Event `json:"events,omitempty"`
}

// Event is one of fanout's, as the hub has it.
type Event struct {
	Time    time.Time `json:"time"`
	Warning bool      `json:"warning,omitempty"`
	// Reason is one word, as docs/behaviour.md has it.
	Reason string `json:"reason"`
	// Message is what happened and what to do, shortened.
	Message string `json:"message"`
}

// Canary is a parent in the hub, and how it fares everywhere.
type Canary struct {
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	Generation int64  `json:"generation"`
	// Selector is spec.agentSelector, and Fault what is wrong with it.
	Selector []string `json:"selector"`
	Fault    string   `json:"fault,omitempty"`
	// Schedule is when it is run: a cron line, or "@every 30s".
	Schedule string `json:"schedule,omitempty"`
	// State, Message, LastCheck, LastTransition, Uptime and Latency are as in the parent's status: see docs/results.md.
	State          string     `json:"state"`
	Message        string     `json:"message,omitempty"`
	LastCheck      *time.Time `json:"lastCheck,omitempty"`
	LastTransition *time.Time `json:"lastTransition,omitempty"`
	Uptime         string     `json:"uptime,omitempty"`
	Latency        string     `json:"latency,omitempty"`
	// Agents is how many it selects, States how many of them are in each state. InSync and OutOfSync count those of which that is known.
	Agents    int            `json:"agents"`
	States    map[string]int `json:"states,omitempty"`
	InSync    int            `json:"inSync"`
	OutOfSync int            `json:"outOfSync"`
	// Copies are its agents, in the order of their names: only where one Canary was asked for. From a status some may be missing.
	Copies []Copy `json:"copies,omitempty"`
}

// Copy is a parent's copy on one agent that it selects.
type Copy struct {
	Agent string `json:"agent"`
	// Namespace and Name are its place in the member.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// SelectedBy is the first entry of the selector that takes the agent in; empty where exclusions alone select it.
	SelectedBy string `json:"selectedBy,omitempty"`
	// State is one of docs/results.md's, and Before how the copy fared when something was last heard of it, where that is another.
	State  string `json:"state"`
	Before string `json:"before,omitempty"`
	// Text is what there is to say of the state, or what the check displays; Error is why its checks fail. Both are shortened.
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
	// InSync is set where the member is known to hold what the parent asks for. OutOfSync is why not, Away why it can't be asked.
	InSync    bool       `json:"inSync"`
	OutOfSync *Condition `json:"outOfSync,omitempty"`
	Away      *Condition `json:"away,omitempty"`
	// LastCheck and LastTransition are the member's, Heard is when the last check was heard of. Where that is long ago, all of this is old.
	LastCheck      *time.Time `json:"lastCheck,omitempty"`
	LastTransition *time.Time `json:"lastTransition,omitempty"`
	Heard          *time.Time `json:"heard,omitempty"`
	// Uptime and Latency are those of the last hour, in canary-checker's words. Of Runs so many Passed, and LatencyMillis is Latency as a
	// number; each is left out where it is not known.
	Uptime        string  `json:"uptime,omitempty"`
	Latency       string  `json:"latency,omitempty"`
	Passed        *uint32 `json:"passed,omitempty"`
	Runs          *uint32 `json:"runs,omitempty"`
	LatencyMillis *uint32 `json:"latencyMillis,omitempty"`
}

// Condition is something that is not as it should be.
type Condition struct {
	// Reason is one word, as in Events and docs/behaviour.md.
	Reason string `json:"reason"`
	// Detail is what happened and what to do.
	Detail string `json:"detail,omitempty"`
	// Since is when fanout noticed.
	Since *time.Time `json:"since,omitempty"`
}

// Found is what stands in one place of a member now, read from there when it was asked for.
type Found struct {
	// Exists is set where anything does.
	Exists bool `json:"exists"`
	// Owner is the ID of the hub that owns it, empty where none does.
	Owner string `json:"owner,omitempty"`
	// Terminating is set while finalizers hold it, which are those.
	Terminating bool     `json:"terminating,omitempty"`
	Finalizers  []string `json:"finalizers,omitempty"`
	// OutOfSync is what keeps it from being as the hub asks, where the hub asks for nothing, too.
	OutOfSync *Condition `json:"outOfSync,omitempty"`
	// Canary is the object without its status, only where it is this hub's.
	Canary map[string]any `json:"canary,omitempty"`
}
