package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client controls a simulator that runs in another process.
type Client struct{ address string }

// NewClient returns a client for the address that Main printed.
func NewClient(address string) *Client { return &Client{address: address} }

// Sites is Simulator.Sites.
func (c *Client) Sites(ctx context.Context) (sites []Site, err error) {
	return sites, c.ask(ctx, http.MethodGet, "/members", nil, &sites)
}

// Counts is Simulator.Counts.
func (c *Client) Counts(ctx context.Context) (counts Counts, err error) {
	return counts, c.ask(ctx, http.MethodGet, "/counts", nil, &counts)
}

// Behave is Simulator.Behave.
func (c *Client) Behave(ctx context.Context, b Behaviour) error {
	return c.ask(ctx, http.MethodPost, "/behave", b, nil)
}

// Holding is Simulator.Holding.
func (c *Client) Holding(ctx context.Context, text string) (count int, err error) {
	return count, c.ask(ctx, http.MethodGet, "/holding?"+url.Values{"text": {text}}.Encode(), nil, &count)
}

// Check is Simulator.Check.
func (c *Client) Check(ctx context.Context) error {
	return c.ask(ctx, http.MethodPost, "/check", nil, nil)
}

// Wipe is Simulator.Wipe.
func (c *Client) Wipe(ctx context.Context) error {
	return c.ask(ctx, http.MethodPost, "/wipe", nil, nil)
}

// Storm is Simulator.Storm.
func (c *Client) Storm(ctx context.Context, period time.Duration) error {
	return c.ask(ctx, http.MethodPost, "/storm?period="+period.String(), nil, nil)
}

// Expect is Simulator.Expect.
func (c *Client) Expect(ctx context.Context, text string, count int) error {
	return c.ask(ctx, http.MethodPost, "/expect?"+url.Values{"text": {text}, "count": {strconv.Itoa(count)}}.Encode(), nil, nil)
}

// Arrived is Simulator.Arrived. It fails where not all has come when ctx ends.
func (c *Client) Arrived(ctx context.Context, text string) (arrived []Arrival, err error) {
	return arrived, c.ask(ctx, http.MethodGet, "/arrived?"+url.Values{"text": {text}}.Encode(), nil, &arrived)
}

func (c *Client) ask(ctx context.Context, method, path string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, sent)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(response.Body)
		return fmt.Errorf("the simulator answers %s: %s", response.Status, said)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
