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
	return fmt.Errorf("%w: %s: %s: %w", errUnreachable, server, wrong(timeout, err), network.Err)
}

// wrong names what went wrong on the way to a server, in the order in which it happens.
func wrong(timeout time.Duration, err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timedOut net.Error
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "the hub does not know the name " + name.Name
	case errors.As(err, &name):
		return "the hub can't look up the name " + name.Name
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route from the hub to it"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing accepts connections there"
	case errors.As(err, &certificate):
		return "TLS: its certificate is not accepted"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it speaks http and not https"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timedOut) && timedOut.Timeout():
		return fmt.Sprintf("timed out after %s: a firewall may be in between, or the address is wrong", timeout)
	default:
		return "the connection broke"
	}
}
