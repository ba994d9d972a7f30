package register

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"fanout/pkg/clusters"
	"fanout/pkg/rights"
)

// prove works with the credential as the controller will: it reads the kubeconfig as strictly, connects as it does, and
// looks whether the rights are there. A server that can't be reached from here may be reached from the hub all the same, if
// it was named by --server: then the credential is proven at the person's own address.
func (m *member) prove(ctx context.Context, a address, token string) error {
	reached, at, err := m.reach(ctx, a, token)
	if err != nil {
		return err
	}
	defer reached.Close()
	if reached.ID == m.hubID {
		return fmt.Errorf("%s is the hub itself, which is no member: name the agent \"local\" in agentSelector instead", at)
	}
	return m.proveRights(ctx, reached.Client)
}

func (m *member) reach(ctx context.Context, a address, token string) (reached *clusters.Reached, at string, err error) {
	reached, err = m.reachAt(ctx, a, token)
	if err == nil {
		m.say("member: the credential works at %s", a.server)
		return reached, a.server, nil
	}
	own, ownErr := addressOf(m.Member, "")
	if clusters.StateOf(err) != clusters.Unreachable || m.Server == "" {
		return nil, "", err
	}
	if ownErr != nil {
		own = address{server: m.Member.Host, tlsServerName: a.tlsServerName, ca: a.ca}
	}
	if reached, ownErr = m.reachAt(ctx, own, token); ownErr != nil {
		return nil, "", err
	}
	m.say("member: the credential works at %s; %s can't be reached from here, and the hub will tell", own.server, a.server)
	return reached, own.server, nil
}

// reachAt waits for a member that does not know its own new token, or role, yet.
func (m *member) reachAt(ctx context.Context, a address, token string) (*clusters.Reached, error) {
	config, err := a.parsed(m.Agent, token)
	if err != nil {
		return nil, err
	}
	var reached *clusters.Reached
	var last error
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, tokenPatience, true, func(ctx context.Context) (bool, error) {
		reached, last = clusters.Reach(ctx, m.Agent, config, m.UserAgent, m.Timeout)
		tooNew := last != nil && slices.Contains([]clusters.State{clusters.Unauthorized, clusters.Forbidden}, clusters.StateOf(last))
		return !tooNew, nil
	})
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if last != nil {
		return nil, fmt.Errorf("prove the credential: %w", last)
	}
	return reached, nil
}

func (m *member) proveRights(ctx context.Context, client dynamic.Interface) error {
	i, err := newIdentity(m.Options)
	if err != nil {
		return err
	}
	wanted := append(rights.Of(i.rules, ""), rights.Of(i.writes, m.Namespaces...)...)
	var missing []rights.Right
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, tokenPatience, true, func(ctx context.Context) (bool, error) {
		var err error
		missing, err = rights.Missing(ctx, client, rights.Self, wanted)
		return len(missing) == 0, err
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case wait.Interrupted(err):
		return fmt.Errorf("the member does not let the ServiceAccount %s/%s do this, though its roles say so: %s. See whether something else than RBAC decides there",
			m.MemberNamespace, m.ServiceAccount, missing)
	case err != nil:
		return err
	}
	m.say("member: all %d rights are there", len(wanted))
	return nil
}
