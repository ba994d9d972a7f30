package chaos

import (
	"slices"
	"strings"
	"time"
)

// place is where a Canary stands in a cluster.
type place struct{ namespace, name string }

func (p place) String() string { return p.namespace + "/" + p.name }

// hubCluster is the hub as a member of itself, and local the agent that means it.
const (
	hubCluster = "hub"
	local      = "local"
)

// copyOf is where the copy of the parent at p stands in agent's cluster.
func (p place) copyOf(agent string) place {
	if agent == local {
		p.name += "-" + local
	}
	return p
}

// model says what the members should hold. It is pure: operations tell it what they do, and nothing else changes it.
type model struct {
	parents map[place]*parent
	// secrets are the registrations that count: labelled, and not being deleted.
	secrets map[string]*registration
	// unknown are clusters that somebody left without cleaning them: as long as no Secret leads there, nothing
	// is known of what they hold.
	unknown map[string]bool
	// left says where the Secrets led that count no more.
	left map[string]string
	// labels are those that Secrets have had, by agent: all of the round, the present ones last.
	labels map[string][]labels
}

// parent is a Canary of the hub.
type parent struct {
	uid        string
	generation int64
	selector   []string
	// invalid means that the selector, as it stands in the hub, does not parse; selector is the last that did.
	invalid bool
}

// registration is a Secret that registers a member.
type registration struct {
	agent   string
	created time.Time
	target  string // the cluster that it leads to
	bad     bool   // its credential is refused there
}

func newModel() *model {
	return &model{parents: map[place]*parent{}, secrets: map[string]*registration{}, unknown: map[string]bool{}, left: map[string]string{},
		labels: map[string][]labels{}}
}

// owner returns the agent whose member cluster is, empty where it is nobody's: of the Secrets that lead there, that of
// the oldest, and of equally old ones the first by name.
func (m *model) owner(cluster string) string {
	if cluster == hubCluster {
		return local
	}
	var first *registration
	for _, r := range m.secrets {
		if r.target == cluster && (first == nil || r.created.Before(first.created) || r.created.Equal(first.created) && r.agent < first.agent) {
			first = r
		}
	}
	if first == nil {
		return ""
	}
	return first.agent
}

// wanted returns the copies that cluster should hold, by their place, each with its parent's.
func (m *model) wanted(cluster string) map[place]place {
	wanted := map[place]place{}
	agent := m.owner(cluster)
	if agent == "" {
		return wanted
	}
	for at, p := range m.parents {
		if selects(p.selector, agent, m.labelsOf(agent)) {
			wanted[at.copyOf(agent)] = at
		}
	}
	return wanted
}

// leave tells the model that agent's Secret leads to its target no more. cleaned says that the member is cleaned then.
func (m *model) leave(agent string, cleaned bool) {
	r := m.secrets[agent]
	if r == nil {
		return
	}
	delete(m.secrets, agent)
	m.left[agent] = r.target
	if !cleaned && m.owner(r.target) == "" {
		m.unknown[r.target] = true
	}
}

// retarget has agent's Secret lead to another cluster, in which case nobody cleans the one it led to.
func (m *model) retarget(agent, target string) {
	r := m.secrets[agent]
	if r.target == target {
		return
	}
	m.leave(agent, false)
	delete(m.left, agent)
	r.target = target
	m.secrets[agent] = r
}

// selects says whether a selector means an agent with those labels. Of patterns it knows names, a star at one end, and the label
// selectors that the operations use; it shares nothing with pkg/selector.
func selects(selector []string, agent string, has labels) bool {
	means := func(pattern string) bool {
		if holds := byLabels[pattern]; holds != nil {
			return agent != local && holds(has)
		}
		pattern = strings.ToLower(pattern)
		prefix, suffix, star := strings.Cut(pattern, "*")
		switch {
		case agent == local || !star:
			return pattern == agent
		default:
			return strings.HasPrefix(agent, prefix) && strings.HasSuffix(agent, suffix)
		}
	}
	included, onlyExclusions := false, len(selector) > 0
	for _, pattern := range selector {
		if excluded, ok := strings.CutPrefix(pattern, "!"); ok {
			if means(excluded) {
				return false
			}
			continue
		}
		onlyExclusions = false
		included = included || means(pattern)
	}
	return included || onlyExclusions && agent != local
}

// usual is how many of the selectors are chosen from most of the time: the first ones.
const usual = 8

// selectors are those that operations choose from; the last two select nobody.
var selectors = [][]string{
	{"*"},
	{"*-prod"},
	{"eu-*"},
	{"*", "!us-prod"},
	{"tier=prod"},
	{"*", "!maintenance=true"},
	{"tier=prod,region in (eu,ap)", "us-prod"},
	{"region notin (eu)"},
	{"!tier=dev", "!maintenance=true"},
	{"region!=us,tier=prod", "local"},
	{"!ap-dev"},
	{"local"},
	{"*", "local"},
	{"us-prod", "ap-dev"},
	{"EU-*", "ap-dev", "local"},
	{"*", "!*-prod", "!local"},
	{"nobody"},
	nil,
}

// invalidSelector parses in none of its two patterns but the first.
var invalidSelector = []string{"*", "{eu"}

// places returns what a round's parents are named, in the order in which operations number them.
func places(namespaces []string) []place {
	var all []place
	for _, namespace := range namespaces {
		for _, name := range []string{"api", "db", "dns", "tls"} {
			all = append(all, place{namespace, name})
		}
	}
	return slices.Clip(all)
}
