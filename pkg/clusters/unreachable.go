package clusters

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// unreachable says which server did not answer within timeout, what went wrong on the way, and what to look at.
func unreachable(server string, timeout time.Duration, err error) error {
	var network *url.Error
	if !errors.As(err, &network) {
		return fmt.Errorf("%w: %s answers that it can't serve: %w", errUnreachable, server, err)
	}
	// Its text begins with the agent's name where the server's address would be.
	return &noWayError{server: server, timeout: timeout, from: "the hub", err: network.Err}
}

// noWayError says what went wrong on the way to a server, which is errUnreachable.
type noWayError struct {
	server  string
	timeout time.Duration
	from    string // where the way begins
	err     error
}

func (e *noWayError) Error() string {
	return fmt.Sprintf("%v: %s: %s: %v", errUnreachable, e.server, e.wrong(), e.err)
}

func (e *noWayError) Unwrap() []error { return []error{errUnreachable, e.err} }

// wrong names what went wrong, in the order in which it happens.
func (e *noWayError) wrong() string {
	err := e.err
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timedOut net.Error
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return e.from + " does not know the name " + name.Name
	case errors.As(err, &name):
		return e.from + " can't look up the name " + name.Name
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route from " + e.from + " to it"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing accepts connections there"
	case errors.As(err, &certificate):
		return "TLS: its certificate is not accepted"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it speaks http and not https"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timedOut) && timedOut.Timeout():
		return fmt.Sprintf("timed out after %s: a firewall may be in between, or the address is wrong", e.timeout)
	default:
		return "the connection broke"
	}
}
