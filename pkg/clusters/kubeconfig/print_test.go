package kubeconfig

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"k8s.io/utils/dump"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

// mustShowNothing prints a Config in every way known and looks for its credentials.
func mustShowNothing(t rapid.TB, c *Config) {
	t.Helper()
	type holder struct {
		Config  Config
		Pointer *Config
		hidden  Config
		pointer *Config
	}
	var texts []string
	for _, value := range []any{c, *c, []*Config{c}, map[string]Config{"a": *c}, holder{*c, c, *c, c}, &holder{*c, c, *c, c}, error(wrapped{*c})} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%p", "% x", "%10.3v"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
		asJSON, _ := json.Marshal(value)
		asYAML, _ := yaml.Marshal(value)
		asXML, _ := xml.Marshal(value)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("a", "config", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("a", "config", value)
		funcr.New(func(_, args string) { log.WriteString(args) }, funcr.Options{}).Info("a", "config", value)
		texts = append(texts, string(asJSON), string(asYAML), string(asXML), log.String(), dump.Pretty(value), dump.ForHash(value), dump.OneLine(value))
	}
	a := c.accepted()
	secrets := []string{marker, a.token, a.username, a.password, string(a.keyData), base64Of(a.keyData), fmt.Sprint(a.keyData),
		fmt.Sprintf("%x", a.keyData), fmt.Sprintf("%x", a.token), fmt.Sprintf("%X", a.password), c.Hash()}
	for _, text := range texts {
		for _, secret := range secrets {
			if len(secret) > 5 && strings.Contains(text, secret) {
				t.Fatalf("%q shows %q", text, secret)
			}
		}
	}
}

type wrapped struct{ c Config }

func (w wrapped) Error() string { return fmt.Sprintf("with %v", w.c) }

func TestPrint(t *testing.T) {
	c := mustParse(t, kubeconfig("server: https://api.example.com:6443/{{MARKER}}", goodUser))
	const want = "kubeconfig(api.example.com:6443, token)"
	asJSON, err := json.Marshal(map[string]*Config{"config": c})
	if err != nil || string(asJSON) != `{"config":"`+want+`"}` {
		t.Errorf("JSON %s, %v", asJSON, err)
	}
	for _, got := range []string{c.String(), c.GoString(), c.LogValue().String(), fmt.Sprintf("%#v", c), fmt.Sprint(*c)} {
		if got != want {
			t.Errorf("got %s", got)
		}
	}
	mustShowNothing(t, c)
	if got := fmt.Sprint(Config{}, (*Config)(nil)); got != "kubeconfig() <nil>" {
		t.Errorf("zero and nil: %s", got)
	}
}
