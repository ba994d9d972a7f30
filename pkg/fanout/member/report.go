package member

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/results"
)

// Report is what is known of the copy at key, also when the member is not at work any more.
func (m *Member) Report(key types.NamespacedName) results.Agent {
	report := results.Agent{Name: m.agent, Result: m.view.said(key)}
	select {
	case <-m.view.synced:
	default:
		report.Out = m.lacking()
		report.Unheard = report.Out.Reason == ""
		return report
	}
	have := m.view.get(key)
	if report.HasCopy = have != nil; have != nil {
		report.Created = results.StampOf(time.Unix(have.created, 0))
	}
	want, _ := m.demand(key)
	switch failing := m.view.remark(key).failing; {
	case failing.Reason != "":
		report.Out = failing
	case isOut(decide(want, have, m.view.settled(key, want.Hash)), want, have):
		report.Out = results.Condition{Reason: results.Waiting}
	}
	return report
}

// isOut tells whether a copy is not as the parent asks, by what is to be done with it. One that carries the hash of that is, as far as is
// known, where somebody has written to it: mostly that was beside what fanout sets, and what was not is put back at once.
func isOut(action action, want Demand, have *observed) bool {
	return action != actionNone && (action != actionVerify || have.hash != want.Hash)
}

// IsKnown tells whether it is known what the member holds, or why that can't be known.
func (m *Member) IsKnown() bool {
	select {
	case <-m.view.synced:
		return true
	default:
		return m.lacking().Reason != ""
	}
}

// failing remembers why key is not as it should be, empty where it is, and returns the reason that was remembered before.
func (m *Member) failing(key types.NamespacedName, why, message string) (before string) {
	condition := results.Condition{}
	if why != "" {
		condition = results.NewCondition(why, message, m.options.Clock.Now())
	}
	if known := m.view.remark(key).failing; why == reasonUnavailable && known.Reason == why {
		condition = known // its words name ports and times: it would be another one each time
	}
	known := m.view.fail(key, condition)
	if known.Reason != why || known.Detail != condition.Detail {
		m.hub.Heard(key, known.Reason != why)
	}
	return known.Reason
}

// lacks remembers why nothing can be heard from the member though it can be reached, empty advice where nothing keeps it from that. It
// returns whether that is news.
func (m *Member) lacks(why, advice string) (news bool) {
	lack := results.Condition{}
	if advice != "" {
		lack = results.NewCondition(why, advice, m.options.Clock.Now())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	news = m.lack.Reason != lack.Reason
	m.lack = lack
	return news
}

func (m *Member) lacking() results.Condition {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lack
}

// redacted is text without the member's credentials.
func (m *Member) redacted(text string) string {
	if m.redact == nil {
		return text
	}
	return m.redact(text)
}

// demand is what the hub asks for at key, as far as the member's owner lets it.
func (m *Member) demand(key types.NamespacedName) (want Demand, refused bool) {
	want = m.hub.Demand(key)
	if refused = want.Hash != "" && !m.allowed.Matches(key.Namespace); refused {
		want = Demand{Parent: want.Parent}
	}
	return want, refused
}
