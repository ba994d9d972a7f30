package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// probeTimeout bounds a check that says nothing of its own.
const probeTimeout = 10 * time.Second

// result is what a check found.
type result struct {
	check
	passed bool
	took   time.Duration
	err    string
}

// perform runs the checks of one Canary, one after the other.
func (c *checker) perform(ctx context.Context, checks []check) []result {
	var results []result
	for _, check := range checks {
		began := time.Now()
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		err := c.probe(ctx, check)
		cancel()
		r := result{check: check, took: time.Since(began)}
		if limit, ok := check.fields["thresholdMillis"].(int64); ok && err == nil && limit > 0 && r.took.Milliseconds() > limit {
			err = fmt.Errorf("%dms > %dms", r.took.Milliseconds(), limit)
		}
		if r.passed = err == nil; err != nil {
			r.err = err.Error()
		}
		results = append(results, r)
	}
	return results
}

func (c *checker) probe(ctx context.Context, check check) error {
	switch check.kind {
	case "http":
		return c.probeHTTP(ctx, check)
	case "tcp":
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", text(check, "endpoint"))
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		return connection.Close()
	case "dns":
		return probeDNS(ctx, check)
	default:
		return fmt.Errorf("the stand-in for canary-checker performs no %s checks", check.kind)
	}
}

func (c *checker) probeHTTP(ctx context.Context, check check) error {
	method := text(check, "method")
	request, err := http.NewRequestWithContext(ctx, method, text(check, "url"), strings.NewReader(text(check, "body")))
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	codes, _ := check.fields["responseCodes"].([]any)
	switch {
	case len(codes) == 0 && (response.StatusCode < 200 || response.StatusCode > 299),
		len(codes) > 0 && !slices.Contains(codes, any(int64(response.StatusCode))):
		return fmt.Errorf("expected %d to be in %v", response.StatusCode, codes)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if content := text(check, "responseContent"); !strings.Contains(string(body), content) {
		return fmt.Errorf("expected the response to contain %q", content)
	}
	return nil
}

func probeDNS(ctx context.Context, check check) error {
	resolver := &net.Resolver{}
	if server := text(check, "server"); server != "" {
		port, ok := check.fields["port"].(int64)
		if !ok {
			port = 53
		}
		resolver.PreferGo = true
		resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(server, fmt.Sprint(port)))
		}
	}
	records, err := lookup(ctx, resolver, text(check, "querytype"), text(check, "query"))
	if err != nil {
		return err
	}
	if least, ok := check.fields["minrecords"].(int64); ok && int64(len(records)) < least {
		return fmt.Errorf("returned %d results, expecting %d", len(records), least)
	}
	expected, _ := check.fields["exactreply"].([]any)
	for _, reply := range expected {
		if !slices.Contains(records, fmt.Sprint(reply)) {
			return fmt.Errorf("got %v, expected %v", records, expected)
		}
	}
	return nil
}

func lookup(ctx context.Context, resolver *net.Resolver, kind, name string) ([]string, error) {
	switch strings.ToUpper(kind) {
	case "", "A":
		return resolver.LookupHost(ctx, name)
	case "CNAME":
		found, err := resolver.LookupCNAME(ctx, name)
		return []string{found}, err
	case "PTR":
		return resolver.LookupAddr(ctx, name)
	case "TXT":
		return resolver.LookupTXT(ctx, name)
	case "MX":
		found, err := resolver.LookupMX(ctx, name)
		var records []string
		for _, record := range found {
			records = append(records, fmt.Sprintf("%s %d", record.Host, record.Pref))
		}
		return records, err
	case "NS":
		found, err := resolver.LookupNS(ctx, name)
		var records []string
		for _, record := range found {
			records = append(records, record.Host)
		}
		return records, err
	default:
		return nil, errors.New("unknown query type: " + kind)
	}
}

func text(check check, field string) string {
	value, _ := check.fields[field].(string)
	return value
}
