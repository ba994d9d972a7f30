package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fleet is a Source with a Canary in each of two namespaces.
type fleet struct{ told }

func (fleet) Agents(_ context.Context, namespaces ...string) (Agents, error) {
	agent := Agent{
		Name: "eu-west-prod", Secret: "cluster-10.0.0.1", State: "Unreachable", Since: noon, Detail: "https://10.0.0.1: connection refused", Labels: map[string]string{"tier": "prod"},
		Namespaces: []string{"payments", "shop"}, ServerVersion: "v1.35.0", CredentialExpires: &noon,
	}
	for _, namespace := range []string{"payments", "shop"} {
		if len(namespaces) == 0 || slices.Contains(namespaces, namespace) {
			agent.Selected, agent.InSync, agent.OutOfSync, agent.Failing = agent.Selected+1, agent.InSync+1, agent.OutOfSync+1, agent.Failing+1
		}
	}
	return Agents{Teller: Teller{Hub: "hub"}, Items: []Agent{agent}}, nil
}

func (fleet) Canaries(_ context.Context, namespace string) (Canaries, error) {
	all := Canaries{Teller: Teller{Hub: "hub"}, Items: []Canary{{Namespace: "payments", Name: "api-health"}, {Namespace: "shop", Name: "checkout"}}}
	all.Items = slices.DeleteFunc(all.Items, func(c Canary) bool { return namespace != "" && namespace != c.Namespace })
	return all, nil
}

func TestOnlyWhatMayBeSeen(t *testing.T) {
	ctx := t.Context()
	teller := Teller{Hub: "hub", Namespaces: []string{"payments"}}
	source := Only(fleet{}, "payments")
	same := func(what string, got any, err error, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", what, err, diff)
		}
	}
	agent := Agent{Name: "eu-west-prod", State: "Unreachable", Since: noon, Labels: map[string]string{"tier": "prod"}, ServerVersion: "v1.35.0"}
	counted := agent
	counted.Selected, counted.InSync, counted.OutOfSync, counted.Failing = 1, 1, 1, 1
	for _, row := range []struct {
		asked []string
		want  Agent
	}{{nil, counted}, {[]string{"payments"}, counted}, {[]string{"payments", "shop"}, counted}, {[]string{"shop"}, agent}, {[]string{"shop", "other"}, agent}} {
		agents, err := source.Agents(ctx, row.asked...)
		same("agents, by "+strings.Join(row.asked, ","), agents, err, Agents{Teller: teller, Items: []Agent{row.want}})
	}
	mine := Canaries{Teller: teller, Items: []Canary{{Namespace: "payments", Name: "api-health"}}}
	for namespace, want := range map[string]Canaries{"": mine, "payments": mine, "shop": {Teller: teller, Items: []Canary{}}, "other": {Teller: teller, Items: []Canary{}}} {
		canaries, err := source.Canaries(ctx, namespace)
		same("canaries of "+namespace, canaries, err, want)
	}
	one, err := source.Canary(ctx, "payments", "api-health")
	if err != nil || one.Canary.Name != "api-health" || !slices.Equal(one.Teller.Namespaces, teller.Namespaces) {
		t.Errorf("%v: %+v", err, one)
	}
	found, err := source.Find(ctx, "eu-west-prod", "payments", "api-health")
	if err != nil || !found.Found.Exists {
		t.Errorf("%v: %+v", err, found)
	}
	// What is there is answered as what is not.
	_, there := source.Canary(ctx, "shop", "checkout")
	_, absent := source.Canary(ctx, "other", "checkout")
	_, foundThere := source.Find(ctx, "eu-west-prod", "shop", "checkout")
	_, foundAbsent := source.Find(ctx, "eu-west-prod", "other", "checkout")
	for _, err := range []error{there, absent, foundThere, foundAbsent} {
		if !errors.Is(err, ErrNotFound) || err.Error() != there.Error() {
			t.Errorf("%v", err)
		}
	}
}
