package peers

import (
	"net/http"
	"time"

	"fanout/pkg/shard"
)

// Client returns what asks that replica, and believes no other. An answer that takes longer than timeout is none.
func Client(identity *Identity, contact shard.Contact, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport:     newTransport(identity, contact),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       timeout,
	}
}
