// Package pagetest is a Source of made-up Canaries and agents, for tests of the page, its screenshots and its measurements.
package pagetest

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"fanout/pkg/api"
)

// Sample is a Source in memory. It always tells the same for the same numbers of agents and Canaries, at the same time.
type Sample struct {
	now func() time.Time

	mu       sync.Mutex
	changed  chan struct{}
	agents   []api.Agent
	canaries []api.Canary // with their copies
	err      error
}

var _ api.Source = (*Sample)(nil)

var (
	regions   = []string{"eu-west", "us-east", "eu-north", "us-west", "ap-south", "sa-east", "ap-northeast", "af-south"}
	stages    = []string{"prod", "staging", "dev"}
	providers = []string{"aws", "gke", "metal"}
	teams     = []string{"payments", "checkout", "identity", "search", "platform", "mail", "maps", "media", "ledger", "support"}
	checks    = []string{"api-health", "database", "queue-depth", "dns", "certificates", "login-flow", "cache", "object-store", "egress", "sitemap"}
	schedules = []string{"@every 30s", "@every 1m", "*/5 * * * *"}
	faults    = []string{
		"expected 503 to be in [200]", "dial tcp 10.40.3.17:5432: connect: connection refused", "x509: certificate has expired or is not yet valid",
		"context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "queue depth 18233 is over 5000",
	}
)

// New returns a Sample of so many agents and Canaries, of which some are in trouble.
func New(agents, canaries int, now func() time.Time) *Sample {
	s := &Sample{now: now, changed: make(chan struct{})}
	for i := range agents {
		s.agents = append(s.agents, agent(i, now()))
	}
	for i := range canaries {
		s.canaries = append(s.canaries, s.canary(i))
	}
	s.count()
	slices.SortFunc(s.agents, func(a, b api.Agent) int { return strings.Compare(a.Name, b.Name) })
	return s
}

func agent(i int, now time.Time) api.Agent {
	region, stage := regions[i%len(regions)], stages[i/len(regions)%len(stages)]
	expires := now.Add(time.Duration(200+dice("expires", i)%2000) * time.Hour)
	a := api.Agent{
		Name:  fmt.Sprintf("%s-%s-%d", region, stage, i/(len(regions)*len(stages))+1),
		State: "Connected", Since: now.Add(-time.Duration(1+dice("since", i)%400) * time.Hour), ServerVersion: fmt.Sprintf("v1.%d.%d", 33+i%3, i%7),
		Labels:            map[string]string{"region": region, "tier": stage, "provider": providers[i%len(providers)]},
		CredentialExpires: &expires,
	}
	a.Secret = a.Name
	switch {
	case dice("off", i)%41 == 5:
		a.State, a.Detail, a.Since = "Unreachable", "dial tcp 192.0.2.17:6443: i/o timeout. It is tried again every 10s", now.Add(-23*time.Minute)
	case dice("off", i)%211 == 9:
		a.State, a.Detail, a.Since = "Unauthorized", "the server does not accept the token. Type: fanout register "+a.Name, now.Add(-5*time.Hour)
	}
	if a.State != "Connected" {
		a.Events = []api.Event{
			{Time: a.Since, Warning: true, Reason: a.State, Message: a.Detail},
			{Time: a.Since.Add(-30 * time.Hour), Reason: "Renewed", Message: "The changed kubeconfig works and is in use."},
		}
	}
	return a
}

func (s *Sample) canary(i int) api.Canary {
	team, check := teams[i%len(teams)], checks[(i/len(teams)+i)%len(checks)]
	c := api.Canary{Namespace: team, Name: check, Generation: int64(1 + i%9), Schedule: schedules[i%len(schedules)], States: map[string]int{}}
	if n := i / (len(teams) * len(checks)); n > 0 {
		c.Name += fmt.Sprint("-", n+1)
	}
	selector := []struct {
		entries []string
		takes   func(api.Agent) (string, bool)
	}{
		{[]string{"*"}, func(api.Agent) (string, bool) { return "*", true }},
		{[]string{"tier=prod", "eu-west-*", "!ap-south-prod-1"}, func(a api.Agent) (string, bool) {
			switch {
			case a.Name == "ap-south-prod-1":
				return "", false
			case a.Labels["tier"] == "prod":
				return "tier=prod", true
			default:
				return "eu-west-*", strings.HasPrefix(a.Name, "eu-west-")
			}
		}},
		{[]string{"*"}, func(api.Agent) (string, bool) { return "*", true }},
		{[]string{"{eu,us}-*", "!*-dev-*"}, func(a api.Agent) (string, bool) {
			return "{eu,us}-*", (strings.HasPrefix(a.Name, "eu-") || strings.HasPrefix(a.Name, "us-")) && a.Labels["tier"] != "dev"
		}},
	}[i%4]
	c.Selector = selector.entries
	for j, a := range s.agents {
		if by, takes := selector.takes(a); takes {
			made := s.copy(i, j, &c, a)
			made.SelectedBy = by
			c.Copies = append(c.Copies, made)
		}
	}
	slices.SortFunc(c.Copies, func(a, b api.Copy) int { return strings.Compare(a.Agent, b.Agent) })
	return c
}

// copy is Canary i on agent j. A few Canaries fail in one region, or here and there; the others nearly nowhere.
func (s *Sample) copy(i, j int, c *api.Canary, a api.Agent) api.Copy {
	now := s.now()
	roll := dice(c.Namespace+c.Name, j)
	made := api.Copy{Agent: a.Name, Namespace: c.Namespace, Name: c.Name, State: "Passed", InSync: true}
	checked, changed := now.Add(-time.Duration(roll%29)*time.Second), now.Add(-time.Duration(1+roll%700)*time.Hour)
	made.LastCheck, made.Heard, made.LastTransition = &checked, &checked, &changed
	region := j % len(regions)
	latency := uint32(float64(8+20*region+(i%7)*9) * math.Exp(float64(roll%100)/90))
	if roll%173 == 0 {
		latency *= 14
	}
	runs, passed := uint32(120), uint32(120)
	recent := now.Add(-time.Duration(2+roll%50) * time.Minute)
	switch {
	case a.State != "Connected":
		since := a.Since
		made.State, made.Before, made.InSync, made.Away = "Unreachable", "Passed", false, &api.Condition{Reason: a.State, Detail: a.Detail, Since: &since}
	case i == 3 && region == 3 && roll%3 > 0, i == 17 && roll%9 == 0, i%23 == 5 && roll%41 == 0:
		made.State, made.Error, made.LastTransition = "Failed", faults[(i+roll%2)%len(faults)], &recent
		passed = 120 - uint32(4+roll%60)
	case i == 31 && region == 1:
		detail := "there is a Canary of that name which is not fanout's. Annotate it with fanout.flanksource.com/adopt=true, or rename one of them"
		made.State, made.InSync, made.Text, made.LastCheck, made.LastTransition = "Missing", false, detail, nil, nil
		made.OutOfSync = &api.Condition{Reason: "Conflict", Detail: detail, Since: &recent}
	case i == 8 && roll%37 == 0:
		made.State, made.Before, made.LastTransition, made.Text = "Stale", "Passed", &recent, "canary-checker has not run it for three of its intervals; is it running there?"
	case i == 12 && roll%53 == 0:
		made.InSync, made.OutOfSync = false, &api.Condition{Reason: "UnknownField", Detail: "the member's CRD does not know spec.http[0].responseCodes. Upgrade canary-checker there", Since: &recent}
	case i == 45:
		made.State = "Paused"
	case i == 60 && roll%3 == 0:
		made.State, made.LastCheck, made.LastTransition = "Pending", nil, nil
		return made
	case roll%31 == 0:
		passed -= uint32(1 + roll%5)
	}
	if made.State == "Missing" || made.State == "Paused" {
		return made
	}
	made.Runs, made.Passed, made.LatencyMillis = &runs, &passed, &latency
	made.Uptime, made.Latency = fmt.Sprintf("%d/%d (%.1f%%)", passed, runs, float64(passed)/float64(runs)*100), fmt.Sprintf("%dms", latency)
	return made
}

// dice is a number that looks like chance, and is always the same.
func dice(what string, n int) int {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s/%d", what, n)
	sum := hash.Sum64()
	return int((sum ^ sum>>29) % (1 << 30))
}
