package derive

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"fanout/pkg/fanout/fanouttest"
)

func TestDeriveForAMember(t *testing.T) {
	derived := derivedOf(aParent(), thisHub, member1)

	hash := derived.GetAnnotations()[AnnotationHash]
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(hash) {
		t.Errorf("the hash is %q", hash)
	}
	mustEqual(t, "derived", derived.Object, map[string]any{
		"apiVersion": "canaries.flanksource.com/v1",
		"kind":       "Canary",
		"metadata": map[string]any{
			"namespace": "payments",
			"name":      "api-health",
			"labels": map[string]any{
				"team":                         "payments",
				"app.kubernetes.io/managed-by": "fanout",
				"fanout.flanksource.com/hub":   thisHub,
			},
			"annotations": map[string]any{
				"docs":                                     "https://wiki.example.com/payments",
				"fanout.flanksource.com/parent":            "payments/api-health",
				"fanout.flanksource.com/parent-uid":        "1d6c3e52-parent",
				"fanout.flanksource.com/parent-generation": "3",
				"fanout.flanksource.com/agent":             member1,
				"fanout.flanksource.com/fields":            "http,icon,schedule",
				"fanout.flanksource.com/hash":              hash,
			},
		},
		"spec": map[string]any{
			"schedule": "@every 30s",
			"http": []any{map[string]any{
				"name": "api", "url": "https://api.example.com/healthz", "thresholdMillis": int64(500),
			}},
			"icon": map[string]any{"name": "heart", "tags": map[string]any{}},
		},
	})
}

func TestDeriveForTheHubItselfStandsBesideTheParentAndIsOwnedByIt(t *testing.T) {
	derived := derivedOf(aParent(), thisHub, LocalAgent)

	if derived.GetNamespace() != "payments" || derived.GetName() != "api-health-local" {
		t.Errorf("it stands at %s/%s", derived.GetNamespace(), derived.GetName())
	}
	mustEqual(t, "ownerReferences", derived.Object["metadata"].(map[string]any)["ownerReferences"], any([]any{map[string]any{
		"apiVersion": "canaries.flanksource.com/v1", "kind": "Canary", "name": "api-health", "uid": "1d6c3e52-parent",
	}}))
	mustEqual(t, "parent annotation", derived.GetAnnotations()[AnnotationParent], "payments/api-health")
	mustEqual(t, "agent annotation", derived.GetAnnotations()[AnnotationAgent], "local")
}

func TestDeriveOfABareParent(t *testing.T) {
	for name, parent := range map[string]*unstructured.Unstructured{
		"no spec":                {Object: map[string]any{"metadata": map[string]any{"name": "bare"}}},
		"nothing but a selector": {Object: map[string]any{"metadata": map[string]any{"name": "bare"}, "spec": map[string]any{"agentSelector": []any{"*"}}}},
		"a spec that is no map":  {Object: map[string]any{"metadata": map[string]any{"name": "bare"}, "spec": "text"}},
	} {
		t.Run(name, func(t *testing.T) {
			derived := derivedOf(parent, thisHub, member1)
			mustEqual(t, "spec", derived.Object["spec"], any(map[string]any{}))
			mustEqual(t, "labels", derived.GetLabels(), map[string]string{LabelManagedBy: "fanout", LabelHub: thisHub})
		})
	}
}

func TestDeriveLeavesOutWhatBelongsToTools(t *testing.T) {
	for _, key := range []string{
		"kubectl.kubernetes.io/last-applied-configuration",
		"kubectl.kubernetes.io/restartedAt",
		"argocd.argoproj.io/instance",
		"argocd.argoproj.io/tracking-id",
		"argocd.argoproj.io/sync-options",
		"meta.helm.sh/release-name",
		"meta.helm.sh/release-namespace",
		"helm.sh/chart",
		"helm.sh/resource-policy",
		"kustomize.toolkit.fluxcd.io/name",
		"helm.toolkit.fluxcd.io/namespace",
		"config.kubernetes.io/origin",
		"app.kubernetes.io/instance",
		"app.kubernetes.io/managed-by",
		"next-runtime",
		"canaries.flanksource.com/next-runtime",
		"fanout.flanksource.com/hub",
		"fanout.flanksource.com/adopt",
		"fanout.flanksource.com/anything",
	} {
		t.Run(key, func(t *testing.T) {
			with := derivedOf(aParent(withLabel(key, "tool"), withAnnotation(key, "tool")), thisHub, member1)
			mustEqual(t, "derived", with.Object, derivedOf(aParent(), thisHub, member1).Object)
		})
	}
}

func TestDeriveCarriesWhatOnlyResemblesATools(t *testing.T) {
	for _, key := range []string{
		"notkubectl.kubernetes.io/x",
		"kubectl.kubernetes.io.example.com/x",
		"app.kubernetes.io/name",
		"app.kubernetes.io/part-of",
		"app.kubernetes.io/version",
		"helm.example.com/chart",
		"mytoolkit.fluxcd.io/x",
		"toolkit.fluxcd.io.example.com/x",
		"next-runtimes",
		"example.com/next-runtime-policy",
		"canaries.flanksource.com/check",
		"flanksource.com/fanout",
		"instance",
		"managed-by",
	} {
		t.Run(key, func(t *testing.T) {
			derived := derivedOf(aParent(withLabel(key, "a"), withAnnotation(key, "b")), thisHub, member1)
			mustEqual(t, "label", derived.GetLabels()[key], "a")
			mustEqual(t, "annotation", derived.GetAnnotations()[key], "b")
		})
	}
}

// A hub may be another hub's member, and users copy what they see.
func TestDeriveOfAParentThatCarriesFanoutsOwnMarks(t *testing.T) {
	clean := derivedOf(aParent(), thisHub, member1)
	for name, hub := range map[string]string{"this hub's": thisHub, "another hub's": otherHub} {
		t.Run(name, func(t *testing.T) {
			stray := derivedOf(aParent(
				withLabel(LabelManagedBy, "fanout"), withLabel(LabelHub, hub),
				withAnnotation(AnnotationParent, "elsewhere/other"), withAnnotation(AnnotationParentUID, "stray"),
				withAnnotation(AnnotationParentGeneration, "99"), withAnnotation(AnnotationAgent, "stray"),
				withAnnotation(AnnotationHash, "stray"), withAnnotation(AnnotationAdopt, "true"),
			), thisHub, member1)
			mustEqual(t, "derived", stray.Object, clean.Object)
		})
	}
}

func TestDeriveChangesNothingOfTheParent(t *testing.T) {
	parent := aParent(withLabel("helm.sh/chart", "x"), withAnnotation("next-runtime", "now"))
	before := parent.DeepCopy()
	derived := derivedOf(parent, thisHub, LocalAgent)
	mustEqual(t, "parent after Derive", parent.Object, before.Object)

	withLabel("more", "x")(derived)
	withAnnotation("more", "x")(derived)
	derived.Object["spec"].(map[string]any)["more"] = "x"
	derived.SetName("other")
	mustEqual(t, "parent after an edit of what was derived", parent.Object, before.Object)
}

func TestHash(t *testing.T) {
	hash := func(hub, agent string, edits ...edit) string {
		return derivedOf(aParent(edits...), hub, agent).GetAnnotations()[AnnotationHash]
	}
	plain := hash(thisHub, member1)

	same := map[string]edit{
		"agentSelector":        withSelector([]any{"eu-*", "!eu-north*"}),
		"no agentSelector":     withoutSpec("agentSelector"),
		"generation":           withGeneration(4),
		"resourceVersion":      withVersion(5000),
		"status":               withStatus("Failed"),
		"deletion":             beingDeleted,
		"finalizers":           func(c *unstructured.Unstructured) { c.SetFinalizers(nil) },
		"managedFields":        func(c *unstructured.Unstructured) { c.SetManagedFields(nil) },
		"a tool's annotation":  withAnnotation("kubectl.kubernetes.io/last-applied-configuration", "{}"),
		"the one-shot run":     withAnnotation("next-runtime", "2026-01-01T00:00:00Z"),
		"a number's form":      withSpec("http", []any{map[string]any{"name": "api", "url": "https://api.example.com/healthz", "thresholdMillis": 500.0}}),
		"another hub's labels": withLabel(LabelHub, otherHub),
	}
	for name, edit := range same {
		t.Run("ignores/"+name, func(t *testing.T) {
			if got := hash(thisHub, member1, edit); got != plain {
				t.Errorf("the hash is %s, and was %s", got, plain)
			}
		})
	}

	seen := map[string]string{plain: "nothing"}
	differs := func(name, got string) {
		t.Run("changes with/"+name, func(t *testing.T) {
			if twin, known := seen[got]; known {
				t.Errorf("the hash is the same as with a change of %s", twin)
			}
			seen[got] = name
		})
	}
	differs("hub", hash(otherHub, member1))
	differs("agent", hash(thisHub, member2))
	differs("agent local", hash(thisHub, LocalAgent))
	for name, edit := range map[string]edit{
		"parent's UID":       withUID("recreated"),
		"parent's name":      func(c *unstructured.Unstructured) { c.SetName("other") },
		"parent's namespace": func(c *unstructured.Unstructured) { c.SetNamespace("other") },
		"label added":        withLabel("tier", "1"),
		"label's value":      withLabel("team", "orders"),
		"label removed":      withoutLabel("team"),
		"annotation added":   withAnnotation("tier", "1"),
		"annotation's value": withAnnotation("docs", "https://wiki.example.com/orders"),
		"spec field added":   withSpec("severity", "high"),
		"spec field's value": withSpec("schedule", "@every 1m"),
		"spec field removed": withoutSpec("schedule"),
		"spec, deep inside":  withSpec("http", []any{map[string]any{"name": "api", "url": "https://api.example.com/healthz", "thresholdMillis": int64(501)}}),
		"spec, a null":       withSpec("icon", nil),
	} {
		differs(name, hash(thisHub, member1, edit))
	}
}

// toolOwned says the rule of design.md again, in other words than the code.
var toolOwned = regexp.MustCompile(`^(kubectl\.kubernetes\.io|argocd\.argoproj\.io|meta\.helm\.sh|helm\.sh|config\.kubernetes\.io|[^/]+\.toolkit\.fluxcd\.io)/` +
	`|^app\.kubernetes\.io/instance$|(^|/)next-runtime$`)

func TestDeriveProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parent := fanouttest.DrawParent(t)
		hub := rapid.SampledFrom([]string{thisHub, otherHub}).Draw(t, "hub")
		agent := rapid.SampledFrom([]string{member1, member2, LocalAgent}).Draw(t, "agent")
		before := parent.DeepCopy()

		derived := derivedOf(parent, hub, agent)
		if diff := cmp.Diff(derived.Object, derivedOf(parent.DeepCopy(), hub, agent).Object); diff != "" {
			t.Fatalf("derived twice, it differs:\n%s", diff)
		}
		if diff := cmp.Diff(before.Object, parent.Object); diff != "" {
			t.Fatalf("the parent changed:\n%s", diff)
		}

		ours := map[string]bool{
			LabelManagedBy: true, LabelHub: true, AnnotationParent: true, AnnotationParentUID: true,
			AnnotationParentGeneration: true, AnnotationAgent: true, AnnotationHash: true, AnnotationFields: true,
		}
		for _, metadata := range []map[string]string{derived.GetLabels(), derived.GetAnnotations()} {
			for key := range metadata {
				if toolOwned.MatchString(key) || strings.HasPrefix(key, prefix) && !ours[key] {
					t.Fatalf("carries %s", key)
				}
			}
		}
		carriesAllOthers(t, "label", before.GetLabels(), derived.GetLabels())
		carriesAllOthers(t, "annotation", before.GetAnnotations(), derived.GetAnnotations())
		if derived.GetLabels()[LabelManagedBy] != "fanout" || derived.GetLabels()[LabelHub] != hub || derived.GetAnnotations()[AnnotationAgent] != agent {
			t.Fatalf("is not marked as this hub's for this agent: %v %v", derived.GetLabels(), derived.GetAnnotations())
		}

		want := maps.Clone(before.Object["spec"].(map[string]any))
		delete(want, "agentSelector")
		if diff := cmp.Diff(want, derived.Object["spec"]); diff != "" {
			t.Fatalf("spec (-parent's +derived):\n%s", diff)
		}
	})
}

func carriesAllOthers(t *rapid.T, what string, parent, derived map[string]string) {
	for key, value := range parent {
		if !toolOwned.MatchString(key) && !strings.HasPrefix(key, prefix) && key != LabelManagedBy && derived[key] != value {
			t.Fatalf("the parent's %s %s=%q became %q", what, key, value, derived[key])
		}
	}
}
