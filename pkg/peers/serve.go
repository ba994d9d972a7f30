package peers

import (
	"context"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/klog/v2"

	"fanout/pkg/shard"
)

// Teller tells one replica all that is to be told, and then what changes, by calling send for each line, until ctx ends or send returns
// an error.
type Teller func(ctx context.Context, asker string, send func(line any) error) error

// writeTimeout is how long a replica may take to read a line.
const writeTimeout = 30 * time.Second

// Serve answers the other replicas until ctx ends: lines by tell, and what else they ask for by answer. Contacts returns those that there are.
func Serve(ctx context.Context, listener net.Listener, identity *Identity, contacts func() []shard.Contact, tell Teller, answer http.Handler) error {
	config := identity.config(func(key string) bool { return named(contacts(), key) != "" })
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asker := named(contacts(), keyOf(r.TLS.PeerCertificates[0]))
			switch {
			case asker == "":
				http.NotFound(w, r)
				return
			case r.Method != http.MethodGet || r.URL.Path != path:
				answer.ServeHTTP(w, r)
				return
			}
			controller := http.NewResponseController(w)
			lines := json.NewEncoder(w)
			if controller.Flush() != nil { // there may be nothing to tell for long
				return
			}
			_ = tell(r.Context(), asker, func(line any) error {
				_ = controller.SetWriteDeadline(time.Now().Add(writeTimeout))
				if err := lines.Encode(line); err != nil {
					return err
				}
				return controller.Flush()
			})
		}),
		TLSConfig:         config,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(refusals{klog.FromContext(ctx)}, "", 0),
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ServeTLS(listener, "", ""); ctx.Err() == nil {
		return err
	}
	return nil
}

// refusals logs what the server says of connections. One that begins is refused until the others have read its Lease.
type refusals struct{ logger klog.Logger }

func (r refusals) Write(line []byte) (int, error) {
	r.logger.V(2).Info("Connection of another replica ended", "why", strings.TrimSpace(string(line)))
	return len(line), nil
}

// path is where lines are asked for. Another meaning of lines is to get another path.
const path = "/v1/lines"

// named returns the replica that is known by that key, "" where there is none.
func named(contacts []shard.Contact, key string) string {
	for _, c := range contacts {
		if c.Key == key && key != "" {
			return c.Replica
		}
	}
	return ""
}
