package clusters

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
)

const planted = "planted-credential-3f9a"

func TestWhatIsPrintedHoldsNoCredential(t *testing.T) {
	var printed bytes.Buffer
	r := &redactor{}
	logger := r.logger(klog.LoggerWithValues(textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&printed))), "agent", "eu"))
	r.learn(&rest.Config{BearerToken: planted})
	r.learn(&rest.Config{Username: "somebody", Password: planted + "-too"})
	basic := base64.StdEncoding.EncodeToString([]byte("somebody:" + planted + "-too"))

	for name, print := range map[string]func(string){
		"an error":           func(s string) { logger.Error(errors.New("it said "+s), "Sync") },
		"an error's value":   func(s string) { logger.Info("Sync", "err", fmt.Errorf("it said %s", s)) },
		"a string":           func(s string) { logger.Info("Sync", "message", "it said "+s) },
		"a struct":           func(s string) { logger.Info("Sync", "object", struct{ Said string }{"it said " + s}) },
		"a logger's value":   func(s string) { logger.WithValues("message", "it said "+s).Info("Sync") },
		"a named logger":     func(s string) { logger.WithName("it").Info("Sync", "message", "it said "+s) },
		"an Event's message": func(s string) { printed.WriteString(r.text("it said " + s)) },
	} {
		for _, secret := range []string{planted, base64.StdEncoding.EncodeToString([]byte(planted)), planted + "-too", basic} {
			printed.Reset()
			print("a " + secret + " z")
			if got := printed.String(); strings.Contains(got, secret) || !strings.Contains(got, "it said a [redacted]") || !strings.Contains(got, " z") {
				t.Errorf("%s prints %q", name, got)
			}
		}
	}
}

// What has no credential in it is printed as it was, by the caller's line.
func TestWhatHoldsNoCredentialIsPrintedAsItIs(t *testing.T) {
	var plain, redacted bytes.Buffer
	r := &redactor{}
	r.learn(&rest.Config{BearerToken: planted})
	r.learn(&rest.Config{Username: "e", Password: "e"}) // too short to be looked for
	print := func(wrapped bool) {
		into := &plain
		if wrapped {
			into = &redacted
		}
		logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(into)))
		if wrapped {
			logger = r.logger(logger)
		}
		logger.Info("Connected", "id", "e", "count", 3, "object", klog.KRef("a", "b"), "err", errors.New("e"))
		logger.V(2).Info("Not enabled")
	}
	print(false)
	print(true)
	_, want, _ := strings.Cut(plain.String(), "redact_test.go")
	if _, got, found := strings.Cut(redacted.String(), "redact_test.go"); !found || got != want {
		t.Errorf("got  %s\nwant %s", redacted.String(), plain.String())
	}
}

func TestAMemberThatSaysMuchIsCutShort(t *testing.T) {
	var printed bytes.Buffer
	logger := (&redactor{}).logger(textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&printed))))
	long := strings.Repeat("blah ", 1<<18)
	logger.Error(errors.New(long), "Sync", "message", long)
	if printed.Len() < 2*maxPrinted || printed.Len() > 3*maxPrinted {
		t.Errorf("it prints %d bytes", printed.Len())
	}
}

// A member whose credential changes often does not make the list grow.
func TestOnlyTheNewestCredentialsAreRemembered(t *testing.T) {
	r := &redactor{}
	for i := range 100 {
		r.learn(&rest.Config{BearerToken: fmt.Sprintf("%s-%02d", planted, i)})
		r.learn(&rest.Config{BearerToken: fmt.Sprintf("%s-%02d", planted, i)})
	}
	if len(r.secrets) != maxCredentials || strings.Contains(r.text(planted+"-99"), planted) || strings.Contains(r.text(planted+"-92"), planted) {
		t.Errorf("remembers %d, and %q", len(r.secrets), r.text(planted+"-92 "+planted+"-99"))
	}
}
