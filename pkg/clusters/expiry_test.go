package clusters

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"fanout/pkg/clusters/kubeconfig"
)

const day = 24 * time.Hour

func TestNearnessOfACredentialsEnd(t *testing.T) {
	for _, row := range []struct {
		lifetime, left time.Duration
		want           nearness
	}{
		{365 * day, 365 * day, far},
		{365 * day, 7*day + time.Second, far},
		{365 * day, 7 * day, near},
		{365 * day, day + time.Second, near},
		{365 * day, day, imminent},
		{365 * day, time.Second, imminent},
		{365 * day, 0, past},
		{365 * day, -365 * day, past},
		{30 * day, 7 * day, far}, // where tools renew: a third of its life is 10 days, a fifth 6
		{30 * day, 3 * day, near},
		{30 * day, 14 * time.Hour, imminent},
		{7 * day, 7 * day, far},
		{7 * day, 16 * time.Hour, near},
		{time.Hour, time.Hour, far},
		{time.Hour, 7 * time.Minute, far},
		{time.Hour, 6 * time.Minute, near},
		{time.Hour, 73 * time.Second, near},
		{time.Hour, 72 * time.Second, imminent},
		{time.Hour, 0, past},
		{time.Second, time.Second, far},
	} {
		if got := nearnessOf(monday.Add(row.left), monday.Add(row.left-row.lifetime), monday); got != row.want {
			t.Errorf("%s before the end of %s: %d, want %d", row.left, row.lifetime, got, row.want)
		}
	}
	if got := nearnessOf(time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 0), monday); got != far {
		t.Errorf("an end in thousands of years: %d", got)
	}
}

// As time passes an end only comes nearer, and it is past when it is past.
func TestNearnessGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lifetime := time.Duration(rapid.Int64Range(1, int64(2*365*day)).Draw(t, "lifetime"))
		times := rapid.SliceOfN(rapid.Int64Range(0, int64(2*lifetime)), 2, 2).Draw(t, "times")
		slices.Sort(times)
		end := monday.Add(lifetime)
		before, after := nearnessOf(end, monday, monday.Add(time.Duration(times[0]))), nearnessOf(end, monday, monday.Add(time.Duration(times[1])))
		if before > after || (after == past) != (times[1] >= int64(lifetime)) {
			t.Fatalf("%d, then %d", before, after)
		}
	})
}

// foreseeing is a keeper whose member answers, as far as the end of its credential is concerned.
type foreseeing struct {
	*keeper
	clock    *clocktesting.FakeClock
	recorder *record.FakeRecorder
	registry *prometheus.Registry
}

// listener is a Handler that what is reported is told to, and nothing else.
type listener struct{ Handler }

func (listener) Reported() {}

func newForeseeing() *foreseeing {
	f := &foreseeing{clock: clocktesting.NewFakeClock(monday), recorder: record.NewFakeRecorder(100_000), registry: prometheus.NewRegistry()}
	f.keeper = newKeeper(New(nil, listener{}, Options{Recorder: f.recorder, Metrics: NewMetrics(f.registry, f.clock), Clock: f.clock}), aSecret())
	f.assume("eu-west-prod")
	return f
}

// events returns what was told since it was asked last.
func (f *foreseeing) events() []string {
	var all []string
	for len(f.recorder.Events) > 0 {
		all = append(all, <-f.recorder.Events)
	}
	return all
}

// ttl reads the metric, the number of whose series it returns too.
func (f *foreseeing) ttl(t *testing.T) (seconds float64, series int) {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "fanout_credential_ttl_seconds" {
			series = len(family.GetMetric())
			seconds = family.GetMetric()[0].GetGauge().GetValue()
			if label := family.GetMetric()[0].GetLabel()[0]; label.GetName() != "agent" || label.GetValue() != "eu-west-prod" {
				t.Errorf("the series is %v's", label)
			}
		}
	}
	return seconds, series
}

// probing lets time pass at the rhythm of the probe.
func (f *foreseeing) probing(t *testing.T, howLong time.Duration) {
	for range howLong / (10 * time.Minute) {
		f.clock.Step(10 * time.Minute)
		f.foresee(t.Context(), f.latest())
	}
}

func configWith(t *testing.T, user string) *kubeconfig.Config {
	t.Helper()
	config, err := kubeconfig.Parse(kubeconfigFor("https://10.0.0.1:6443", user, ""))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// tokenUntil is a line with a JWT that was issued on monday, plus a part of its own.
func tokenUntil(end time.Time, more string) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return "token: " + part("{}") + "." + part(fmt.Sprintf(`{"exp":%d%s}`, end.Unix(), more)) + ".secret-token"
}

func issued(at time.Time) string { return fmt.Sprintf(`,"iat":%d`, at.Unix()) }

func TestACredentialsEndIsToldOnceEachTimeItComesNearer(t *testing.T) {
	f := newForeseeing()
	end := monday.Add(90 * day)
	f.use(t.Context(), f.latest(), configWith(t, tokenUntil(end, issued(monday))))
	f.probing(t, 82*day)
	if told := f.events(); len(told) != 0 {
		t.Errorf("long before: %q", told)
	}
	if left, series := f.ttl(t); left != (8*day).Seconds() || series != 1 {
		t.Errorf("%v seconds are left, in %d series", left, series)
	}
	for _, row := range []struct {
		passes time.Duration
		reason string
		says   []string
	}{
		{day, "Warning CredentialExpiring", []string{"The token", "2026-05-31T00:00:00Z", "new credential into the Secret"}},
		{6 * day, "Warning CredentialExpiring", []string{"2026-05-31T00:00:00Z"}},
		{day, "Warning CredentialExpired", []string{"The token", "2026-05-31T00:00:00Z", "valid credential into the Secret"}},
	} {
		f.probing(t, row.passes)
		told := f.events()
		if len(told) != 1 || !strings.HasPrefix(told[0], row.reason+" ") || strings.Contains(told[0], "secret-token") {
			t.Fatalf("told %q, want one %s", told, row.reason)
		}
		for _, part := range row.says {
			if !strings.Contains(told[0], part) {
				t.Errorf("%q does not say %q", told[0], part)
			}
		}
	}
	f.probing(t, 3*day)
	if told := f.events(); len(told) != 0 {
		t.Errorf("afterwards: %q", told)
	}
	if left, _ := f.ttl(t); left != -(3 * day).Seconds() {
		t.Errorf("%v seconds are left", left)
	}
}

// Whoever reconnects, or begins late, is told of where the end is now and not of every step to there.
func TestACredentialThatIsUsedAgainIsNotToldOfAgain(t *testing.T) {
	f := newForeseeing()
	config := configWith(t, tokenUntil(monday.Add(time.Hour), issued(monday.Add(-90*day))))
	for range 3 {
		f.use(t.Context(), f.latest(), config)
	}
	if told := f.events(); len(told) != 1 || !strings.Contains(told[0], "CredentialExpiring") {
		t.Errorf("told %q", told)
	}
	f.use(t.Context(), f.latest(), configWith(t, tokenUntil(monday.Add(2*time.Hour), issued(monday.Add(-90*day)))))
	if told := f.events(); len(told) != 1 {
		t.Errorf("of another one: told %q", told)
	}
}

// A tool replaces tokens of an hour when a fifth of it is left. Nobody is told, and the metric follows.
func TestShortLivedTokensThatAreReplacedInTimeAreNoNews(t *testing.T) {
	for name, claims := range map[string]func(time.Time) string{
		"that say when they were issued":        issued,
		"that do not say when they were issued": func(time.Time) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			f := newForeseeing()
			for range 48 {
				now := f.clock.Now()
				f.use(t.Context(), f.latest(), configWith(t, tokenUntil(now.Add(time.Hour), claims(now))))
				f.probing(t, 50*time.Minute)
			}
			if told := f.events(); len(told) != 0 {
				t.Errorf("told %q", told)
			}
			if left, series := f.ttl(t); left != 600 || series != 1 {
				t.Errorf("%v seconds are left, in %d series", left, series)
			}
		})
	}
}

func TestACredentialWithoutAKnownEnd(t *testing.T) {
	f := newForeseeing()
	expiring := configWith(t, tokenUntil(monday.Add(day), issued(monday)))
	for name, becomesUnknown := range map[string]func(){
		"an opaque token":         func() { f.use(t.Context(), f.latest(), configWith(t, "token: secret-token")) },
		"a password":              func() { f.use(t.Context(), f.latest(), configWith(t, "{username: a, password: secret-token}")) },
		"a Secret that is no use": func() { f.unuse() },
		"a member that goes":      func() { f.assume("") },
	} {
		f.assume("eu-west-prod")
		f.use(t.Context(), f.latest(), expiring)
		if _, series := f.ttl(t); series != 1 {
			t.Fatalf("%d series", series)
		}
		if becomesUnknown(); true {
			if left, series := f.ttl(t); series != 0 {
				t.Errorf("%s: %v seconds are left", name, left)
			}
		}
	}
	f.unuse()
	f.probing(t, 10*day)
	f.foresee(t.Context(), (*corev1.Secret)(nil))
	if told := f.events(); len(told) != 0 {
		t.Errorf("told %q", told)
	}
}
