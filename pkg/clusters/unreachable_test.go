package clusters

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanout/pkg/clusters/kubeconfig"
)

// Whoever reads the Event wants to know which address was tried, and where on the way to it to look.
func TestWhyAMemberIsUnreachable(t *testing.T) {
	m := serving(t, func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	busy := serving(t, aStatus(503, "ServiceUnavailable"))
	gone := serving(t, kubeSystem("member-1"))
	gone.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plain.Close() })
	go answerInPlainText(plain)
	for _, row := range []struct {
		name, server, ca string
		says             string
	}{
		{"a server that never answers", m.URL, m.ca(), "timed out after 1s"},
		{"a server that has stopped", gone.URL, gone.ca(), "nothing accepts connections there"},
		{"a server that can't serve", busy.URL, busy.ca(), "answers that it can't serve"},
		{"a name that nobody knows", "https://member.invalid:6443", m.ca(), "the name member.invalid"},
		{"a network without a route", "https://255.255.255.255:6443", m.ca(), "no route from the hub"},
		{"a certificate of another CA", m.URL, "", "TLS: its certificate is not accepted"},
		{"a server without TLS", "https://" + plain.Addr().String(), m.ca(), "it speaks http and not https"},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, current := clientOver(t, connectTo(t, kubeconfigFor(row.server, "token: secret-token", row.ca)))
			timeout := time.Minute // which is not what is to end it
			if row.server == m.URL && row.ca != "" {
				timeout = time.Second
			}
			_, err := probe(t.Context(), client, current.server(), timeout)
			if !errors.Is(err, errUnreachable) {
				t.Fatalf("probe: %v", err)
			}
			says := err.Error()
			if !strings.HasPrefix(says, "unreachable: "+row.server) || !strings.Contains(says, row.says) {
				t.Errorf("it does not name %s and say %q: %s", row.server, row.says, says)
			}
			if strings.Contains(says, "https://eu-west-prod") {
				t.Errorf("it names an address that there is not: %s", says)
			}
			if row.server == m.URL && row.ca != "" && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it is no timeout any more: %v", err)
			}
		})
	}
	if asked := m.requests(); len(asked) != 1 {
		t.Errorf("the server with another certificate than expected was told %q", asked[1:])
	}
}

// Whoever asks from elsewhere is not told of the hub.
func TestWhatIsUnreachableFromHere(t *testing.T) {
	m := serving(t, kubeSystem("member-1"))
	config, err := kubeconfig.Parse([]byte(kubeconfigFor("https://member.invalid:6443", "token: secret-token", m.ca())))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Reach(t.Context(), "eu-west-prod", config, "test", time.Second)
	if err == nil || strings.Contains(err.Error(), "the hub") || !strings.Contains(err.Error(), "this machine") || StateOf(err) != Unreachable {
		t.Errorf("it says %v", err)
	}
}

func answerInPlainText(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		conn.Close()
	}
}
