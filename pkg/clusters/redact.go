package clusters

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
)

const (
	// minSecret is the length below which a token or password is not looked for: taking it out of every word that happens to
	// hold it would leave nothing to read, and protect nothing.
	minSecret = 4
	// maxCredentials is how many of a member's credentials are remembered, the newest ones.
	maxCredentials = 8
	// maxPrinted bounds one value in a log: a member may say much.
	maxPrinted = 4 << 10
)

// redactor keeps a member from getting its own credential into logs and Events: what a server answers ends up there when
// it is an error, and some servers, and hostile ones, repeat what they were sent. It works on what is printed, since the
// answers themselves may rightly hold the same words.
type redactor struct {
	mu      sync.RWMutex
	secrets [][]string // one entry per credential, the newest last
}

// learn adds what config sends to authenticate itself.
func (r *redactor) learn(config *rest.Config) {
	var secrets []string
	if config.Password != "" { // first, since the others may be a part of it
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(config.Username+":"+config.Password)))
	}
	for _, secret := range []string{config.BearerToken, config.Password} {
		if len(secret) >= minSecret {
			secrets = append(secrets, secret, base64.StdEncoding.EncodeToString([]byte(secret)))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(secrets) == 0 || slices.ContainsFunc(r.secrets, func(known []string) bool { return slices.Equal(known, secrets) }) {
		return
	}
	r.secrets = append(r.secrets, secrets)
	r.secrets = r.secrets[max(0, len(r.secrets)-maxCredentials):]
}

// text returns s without the credentials.
func (r *redactor) text(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, secrets := range r.secrets {
		for _, secret := range secrets {
			s = strings.ReplaceAll(s, secret, "[redacted]")
		}
	}
	return s
}

// logger returns a logger that writes to next what it is told, without the credentials.
func (r *redactor) logger(next logr.Logger) logr.Logger {
	return logr.New(redactingSink{next.WithCallDepth(1).GetSink(), r}).V(next.GetV())
}

// redactingSink takes credentials out of the values on their way to another sink. Messages are constants.
type redactingSink struct {
	logr.LogSink
	redactor *redactor
}

// Init does nothing: the sink behind it is initialized already.
func (s redactingSink) Init(logr.RuntimeInfo) {}

func (s redactingSink) Info(level int, message string, values ...any) {
	s.LogSink.Info(level, message, s.values(values)...)
}

func (s redactingSink) Error(err error, message string, values ...any) {
	s.LogSink.Error(s.err(err), message, s.values(values)...)
}

func (s redactingSink) WithValues(values ...any) logr.LogSink {
	return redactingSink{s.LogSink.WithValues(s.values(values)...), s.redactor}
}

func (s redactingSink) WithName(name string) logr.LogSink {
	return redactingSink{s.LogSink.WithName(name), s.redactor}
}

func (s redactingSink) values(values []any) []any {
	redacted := slices.Clone(values)
	for i, value := range values {
		switch value := value.(type) {
		case string:
			redacted[i] = s.text(value)
		case error:
			redacted[i] = s.err(value)
		default:
			if text := fmt.Sprint(value); s.text(text) != text {
				redacted[i] = s.text(text)
			}
		}
	}
	return redacted
}

func (s redactingSink) err(err error) error {
	if err == nil {
		return nil
	}
	if text := s.text(err.Error()); text != err.Error() {
		return fmt.Errorf("%s", text)
	}
	return err
}

func (s redactingSink) text(value string) string {
	text := s.redactor.text(value)
	if len(text) > maxPrinted {
		text = text[:maxPrinted] + "…"
	}
	return text
}
