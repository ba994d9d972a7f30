package shard_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fanout/pkg/shard"
)

// Replicas of two versions of fanout work side by side during an upgrade.
func TestWhoOwnsAKeyNeverChanges(t *testing.T) {
	v := shard.NewView("fanout-c", "fanout-a", "fanout-b")
	for key, want := range map[string]string{
		"secret/eu-west-prod":                  "fanout-a",
		"secret/us-east-prod":                  "fanout-b",
		"secret/ap-south-dev":                  "fanout-c",
		"6e3a1d0c-6b0f-4d5e-9d53-0d9c3b0f7a11": "fanout-a",
	} {
		if got := v.Owner(key); got != want {
			t.Errorf("%s is owned by %q, not by %q", key, got, want)
		}
	}
}

func TestAViewIsASet(t *testing.T) {
	v := shard.NewView("b", "a", "b")
	if want := (shard.View{"a", "b"}); !slices.Equal(v, want) || !slices.Equal(shard.ParseView(v.String()), want) {
		t.Errorf("%v", v)
	}
	if got := shard.ParseView("").Owner("key"); got != "" {
		t.Errorf("nobody is %q", got)
	}
}

func TestMembersAreSharedOutEvenly(t *testing.T) {
	all := keys(2000)
	for count := 1; count <= 8; count++ {
		owned := map[string]int{}
		for _, key := range all {
			owned[viewOf(count).Owner(key)]++
		}
		for replica, got := range owned {
			if mean := len(all) / count; got < mean*85/100 || got > mean*115/100 {
				t.Errorf("of %d replicas, %s owns %d of %d members", count, replica, got, len(all))
			}
		}
	}
}

func TestOnlyAShareMovesWhenAReplicaJoinsOrLeaves(t *testing.T) {
	all := keys(2000)
	for count := 1; count <= 7; count++ {
		fewer, more := viewOf(count), viewOf(count+1)
		moved := 0
		for _, key := range all {
			if fewer.Owner(key) != more.Owner(key) {
				moved++
			}
		}
		if share := float64(moved) / float64(len(all)); share > 1/float64(count+1)+0.05 {
			t.Errorf("%.3f of the members move between %d and %d replicas", share, count, count+1)
		}
	}
}

func viewOf(count int) shard.View {
	var replicas []string
	for i := range count {
		replicas = append(replicas, fmt.Sprintf("fanout-7c9f8d5b6-%05d", i*7919))
	}
	return shard.NewView(replicas...)
}

func TestOnlyTheNewcomerGains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		replicas := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,8}`), 1, 6, rapid.ID).Draw(t, "replicas")
		newcomer := rapid.StringMatching(`[A-Z]{1,8}`).Draw(t, "newcomer")
		key := rapid.String().Draw(t, "key")
		before, after := shard.NewView(replicas...).Owner(key), shard.NewView(append(replicas, newcomer)...).Owner(key)
		if after != before && after != newcomer {
			t.Errorf("%q moves from %s to %s, though %s came", key, before, after, newcomer)
		}
	})
}
