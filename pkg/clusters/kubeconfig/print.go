package kubeconfig

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
)

var (
	_ fmt.Formatter  = Config{}
	_ fmt.Stringer   = Config{}
	_ fmt.GoStringer = Config{}
	_ json.Marshaler = Config{}
	_ slog.LogValuer = Config{}
)

// String returns the server's host and the kinds of credential, such as kubeconfig(10.0.0.1:6443, token). It leaves
// out the server's path, which may be a secret of a proxy's.
func (c Config) String() string {
	if c.accepted == nil {
		return "kubeconfig()"
	}
	a := c.accepted()
	u, err := url.Parse(a.server)
	if err != nil {
		return "kubeconfig(" + a.credentials() + ")"
	}
	return "kubeconfig(" + u.Host + ", " + a.credentials() + ")"
}

// Format writes String for every verb and flag.
func (c Config) Format(state fmt.State, _ rune) { io.WriteString(state, c.String()) }

// GoString returns String.
func (c Config) GoString() string { return c.String() }

// MarshalJSON returns String as a JSON text. There is no way back from it.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// LogValue returns String for structured logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
