package kubeconfig

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A sample is a kubeconfig that is to be accepted, as the fields of its cluster and its user.
type sample struct{ cluster, user map[string]string }

var (
	clusterFields = []string{"server", "tls-server-name", "certificate-authority-data"}
	userFields    = []string{"token", "username", "password", "client-certificate-data", "client-key-data"}
)

func drawSample(t *rapid.T) sample {
	s := sample{cluster: map[string]string{}, user: map[string]string{}}
	s.cluster["server"] = rapid.StringMatching(`https://[a-z][a-z0-9]{0,9}(\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?(/[a-z0-9]{1,8}){0,3}`).Draw(t, "server")
	if rapid.Bool().Draw(t, "with a server name") {
		s.cluster["tls-server-name"] = rapid.StringMatching(`[a-z][a-z0-9]{0,9}(\.[a-z]{2,5})?`).Draw(t, "server name")
	}
	if rapid.Bool().Draw(t, "with a CA") {
		s.cluster["certificate-authority-data"] = base64Of(drawPair(t).cert)
	}
	kind := rapid.SampledFrom([]string{"token", "password", "cert", "cert and token", "cert and password"}).Draw(t, "credentials")
	if strings.Contains(kind, "token") {
		s.user["token"] = rapid.StringMatching(`[!-~]{1,40}`).Draw(t, "token")
	}
	if strings.Contains(kind, "password") {
		s.user["username"] = rapid.StringMatching(`[ -9;-~]{1,9}`).Draw(t, "username")
		s.user["password"] = rapid.StringMatching(`[ -~äß€]{1,20}`).Draw(t, "password")
	}
	if strings.Contains(kind, "cert") {
		p := drawPair(t)
		s.user["client-certificate-data"], s.user["client-key-data"] = base64Of(p.cert), base64Of(p.key)
	}
	return s
}

func drawPair(t *rapid.T) pair {
	return rapid.SampledFrom([]pair{ourPair(), otherPair()}).Draw(t, "pair")
}

// write writes a sample in one of the many forms that mean the same: YAML or JSON, fields in any order, any names,
// other contexts beside the current one.
func (s sample) write(t *rapid.T) []byte {
	name := rapid.StringMatching(`[ -~]{1,12}`).Draw(t, "name")
	entry := func(field, body string) string {
		return "{" + shuffled(t, ", ", `"name": `+quoted(name), `"`+field+`": `+body) + "}"
	}
	list := func(field, body string) string {
		entries := []string{entry(field, body)}
		if rapid.Bool().Draw(t, "others") {
			entries = append(entries, `{"name": "another `+field+`", "`+field+`": {"exec": {"command": "sh"}, "server": "http://x"}}`)
		}
		return `"` + field + `s": [` + shuffled(t, ", ", entries...) + "]"
	}
	top := []string{
		`"apiVersion": "v1"`, `"kind": "Config"`, `"current-context": ` + quoted(name), `"preferences": {}`,
		list("context", fmt.Sprintf(`{"cluster": %s, "user": %s}`, quoted(name), quoted(name))),
		list("cluster", mapping(t, s.cluster, clusterFields)),
		list("user", mapping(t, s.user, userFields)),
	}
	if rapid.Bool().Draw(t, "as JSON") {
		data := []byte("{" + shuffled(t, ",\n\t", top...) + "}")
		if !json.Valid(data) {
			t.Fatalf("the test wrote bad JSON: %s", data)
		}
		return data
	}
	return []byte("# a comment\n---\n" + shuffled(t, " # another\n", top...) + "\n")
}

// mapping writes fields, and some of the names that have no value as null.
func mapping(t *rapid.T, fields map[string]string, names []string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, quoted(name)+": "+quoted(fields[name]))
	}
	for _, name := range names {
		if _, ok := fields[name]; !ok && rapid.Bool().Draw(t, "as null") {
			parts = append(parts, quoted(name)+": null")
		}
	}
	return "{" + shuffled(t, ",\n  ", parts...) + "}"
}

func shuffled(t *rapid.T, between string, parts ...string) string {
	return strings.Join(rapid.Permutation(parts).Draw(t, "order"), between)
}

func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// TestAcceptedProperty accepts every sample in every form, with exactly its fields and with one hash.
func TestAcceptedProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		one, two := mustParse(t, s.write(t)), mustParse(t, s.write(t))
		if one.Hash() != two.Hash() {
			t.Error("two hashes of one configuration")
		}
		mustHoldAllowedFieldsOnly(t, one)
		config := one.REST()
		got := sample{
			cluster: map[string]string{"server": config.Host, "tls-server-name": config.ServerName,
				"certificate-authority-data": base64Of(config.CAData)},
			user: map[string]string{"token": config.BearerToken, "username": config.Username, "password": config.Password,
				"client-certificate-data": base64Of(config.CertData), "client-key-data": base64Of(config.KeyData)},
		}
		for _, fields := range []map[string]string{got.cluster, got.user} {
			maps.DeleteFunc(fields, func(_, value string) bool { return value == "" })
		}
		if diff := cmp.Diff(s, got, cmp.AllowUnexported(sample{})); diff != "" {
			t.Error(diff)
		}
	})
}

// TestHashProperty gives two samples one hash exactly if their fields are the same.
func TestHashProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawSample(t), drawSample(t)
		blend := func(from, to map[string]string) { // so that they differ in little
			for _, field := range slices.Sorted(maps.Keys(from)) {
				if rapid.IntRange(0, 3).Draw(t, "keep") > 0 {
					to[field] = from[field]
				}
			}
		}
		blend(before.cluster, after.cluster)
		blend(before.user, after.user)
		two, err := Parse(after.write(t))
		if err != nil {
			t.Skip("a blend of two that excludes itself")
		}
		one, same := mustParse(t, before.write(t)), cmp.Equal(before, after, cmp.AllowUnexported(sample{}))
		if same != (one.Hash() == two.Hash()) {
			t.Errorf("same fields %t, same hash %t", same, !same)
		}
	})
}

// TestRefusedProperty refuses every sample that has one more field, of whatever name, and doesn't tell its value.
func TestRefusedProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		allowed := append([]string{"disable-compression", "extensions", ""}, append(clusterFields, userFields...)...)
		name := rapid.OneOf(
			rapid.Map(rapid.SampledFrom(vocabulary), func(p phrase) string { return string(p) }),
			rapid.StringMatching(`[A-Za-z0-9._-]{1,40}`),
			rapid.String(),
		).Filter(func(name string) bool { return !slices.Contains(allowed, name) && json.Valid([]byte(quoted(name))) }).Draw(t, "name")
		rapid.SampledFrom([]map[string]string{s.cluster, s.user}).Draw(t, "section")[name] = marker
		mustRefuse(t, s.write(t))
	})
}
