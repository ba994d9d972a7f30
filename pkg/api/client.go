package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Client is a Source that asks another process, over HTTP.
type Client struct {
	client *http.Client
	base   string

	mu      sync.Mutex
	changed chan struct{}
}

var _ Source = (*Client)(nil)

const (
	// maxAnswer is more than a controller has to tell, and maxProblem than it needs to say why not.
	maxAnswer  = 512 << 20
	maxProblem = 4 << 10
	// clientPause is after what time anything may have changed.
	clientPause = 2 * time.Second
)

// NewClient returns a Source that asks what is served at base, such as http://localhost:8082, through client.
func NewClient(client *http.Client, base string) *Client {
	return &Client{client: client, base: strings.TrimSuffix(base, "/")}
}

// Agents implements Source.
func (c *Client) Agents(ctx context.Context, namespaces ...string) (answer Agents, err error) {
	err = c.get(ctx, &answer, url.Values{"namespace": namespaces}, "agents")
	return answer, err
}

// Canaries implements Source.
func (c *Client) Canaries(ctx context.Context, namespace string) (answer Canaries, err error) {
	query := url.Values{}
	if namespace != "" {
		query.Set("namespace", namespace)
	}
	err = c.get(ctx, &answer, query, "canaries")
	return answer, err
}

// Canary implements Source.
func (c *Client) Canary(ctx context.Context, namespace, name string) (answer OneCanary, err error) {
	err = c.get(ctx, &answer, nil, "canaries", namespace, name)
	return answer, err
}

// Find implements Source.
func (c *Client) Find(ctx context.Context, agent, namespace, name string) (answer OneFound, err error) {
	err = c.get(ctx, &answer, nil, "agents", agent, "canaries", namespace, name)
	return answer, err
}

// Changed implements Source. It does not ask: the channel is closed when so much time has passed that something may have changed.
func (c *Client) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		changed := make(chan struct{})
		c.changed = changed
		time.AfterFunc(clientPause, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.changed = nil
			close(changed)
		})
	}
	return c.changed
}

// get reads what is at that path into answer.
func (c *Client) get(ctx context.Context, answer any, query url.Values, path ...string) error {
	for i := range path {
		path[i] = url.PathEscape(path[i])
	}
	address := c.base + "/api/v1/" + strings.Join(path, "/")
	if encoded := query.Encode(); encoded != "" {
		address += "?" + encoded
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return problem(response)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("read the answer of %s: %w", address, err)
	}
	return nil
}

// refusal is an error in the words of who was asked.
type refusal struct {
	words string
	kind  error
}

func (r *refusal) Error() string { return r.words }
func (r *refusal) Unwrap() error { return r.kind }

// problem is why there is no answer.
func problem(response *http.Response) error {
	var said Problem
	if json.NewDecoder(io.LimitReader(response.Body, maxProblem)).Decode(&said) != nil || said.Error == "" {
		return fmt.Errorf("%s answers %s, and not as fanout does", response.Request.URL, response.Status)
	}
	kinds := map[int]error{http.StatusNotFound: ErrNotFound, http.StatusServiceUnavailable: ErrNotKnown}
	return &refusal{words: said.Error, kind: cmp.Or(kinds[response.StatusCode], errors.New(response.Status))}
}
