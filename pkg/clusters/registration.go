package clusters

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"

	"fanout/pkg/clusters/kubeconfig"
	"fanout/pkg/selector"
	"fanout/pkg/shard"
)

// Registration is what a Secret says of a member, as a Registry reads it.
type Registration struct {
	Secret *corev1.Secret
	Format Format
	// Agent is the member's name, and Config the way into it. Err says why fanout refuses the Secret; one of the two may be
	// known nevertheless.
	Agent  string
	Config *kubeconfig.Config
	Err    error
	// Labels are those of the Secret by which the member is selected, and Namespaces the patterns of the hub's namespaces that it takes
	// Canaries from; none are all.
	Labels     map[string]string
	Namespaces []string
}

// Registrations returns those among the Secrets that register a member in one of the formats, or that are held until their
// member is clean.
func (f Formats) Registrations(secrets []corev1.Secret) []Registration {
	var found []Registration
	for i := range secrets {
		secret := &secrets[i]
		if !f.isRegistration(secret) {
			continue
		}
		r := Registration{Secret: secret, Format: f.formatOf(secret), Labels: withoutMarks(secret.Labels)}
		r.Namespaces = selector.SplitNamespaces(secret.Annotations[AnnotationNamespaces])
		r.Agent, r.Err = f.agentOf(secret)
		var err error
		if r.Config, err = f.configOf(secret); r.Err == nil {
			r.Err = err
		}
		if _, err := namespacesOf(secret); r.Err == nil {
			r.Err = err
		}
		found = append(found, r)
	}
	return found
}

// Reached is a member that answered. Close it.
type Reached struct {
	ID     string
	Client dynamic.Interface
	close  func()
}

// Close ends the connections.
func (r *Reached) Close() { r.close() }

// Reach connects to a member as a Registry does, with the same transport and the same probe, which may take as long as
// timeout. StateOf tells what its error means for the member; its text
// speaks of the machine that it runs on.
func Reach(ctx context.Context, agent string, config *kubeconfig.Config, userAgent string, timeout time.Duration) (*Reached, error) {
	conn, err := newConnection(config, userAgent, (*shard.Share)(nil).FenceDial)
	if err != nil {
		return nil, err
	}
	over := &line{}
	over.swap(conn)
	client, err := newClient(agent, over)
	if err != nil {
		return nil, err
	}
	id, err := probe(ctx, client, over.server(), timeout)
	if err != nil {
		conn.close()
		var noWay *noWayError
		if errors.As(err, &noWay) {
			noWay.from = "this machine"
		}
		var r redactor
		r.learn(config.REST())
		return nil, redacted{err, r.text(err.Error())}
	}
	return &Reached{ID: id, Client: dynamic.New(client), close: conn.close}, nil
}

// redacted is an error whose text holds no credential.
type redacted struct {
	error
	text string
}

func (r redacted) Error() string { return r.text }
func (r redacted) Unwrap() error { return r.error }
