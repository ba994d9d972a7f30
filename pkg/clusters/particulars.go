package clusters

import (
	"context"
	"encoding/json"
	"io"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

// Particulars are what is known of a registered agent that nothing but curiosity needs.
type Particulars struct {
	// Secret is the name of the one that registers it.
	Secret string
	// Namespaces are the patterns of the hub's namespaces that may put something into the member, as its Secret has them; empty is all.
	Namespaces string
	// ServerVersion is the member's, as it was when it joined; empty while that is not known.
	ServerVersion string
	// Expires is when the credential in use ends; zero where that is not known.
	Expires time.Time
	// Unused is why what the Secret says now is not used, while what it said before still is; empty where all is in use.
	Unused string
	// Events are the last that were put on the Secret; nil where there is none. They always say what they are by then.
	Events *Events
}

// note changes what is known of the agent, and tells the handler, where it knows of the agent and that is news.
func (k *keeper) note(change func(*Particulars)) {
	next := *k.particulars
	change(&next)
	if next != *k.particulars {
		k.particulars = &next
		k.tellParticulars()
	}
}

func (k *keeper) tellParticulars() {
	if k.named {
		k.handler.Note(k.agent, k.particulars)
	}
}

// noteSecret notes what the Secret says that is in use now.
func (k *keeper) noteSecret(secret *corev1.Secret) {
	k.note(func(p *Particulars) { p.Namespaces, p.Unused = secret.Annotations[AnnotationNamespaces], "" })
}

// asking is a question for a server's version that is under way; the zero asking is none.
type asking struct {
	answer <-chan string
	cancel context.CancelFunc
}

// askVersion asks the member for the version of its server, once. The answer is empty where it does not tell, and nothing waits for it.
func (k *keeper) askVersion(ctx context.Context, client rest.Interface) *asking {
	ctx, cancel := context.WithTimeout(ctx, k.options.ProbeTimeout)
	answer := make(chan string, 1)
	go func() {
		defer close(answer)
		answer <- serverVersion(ctx, client)
	}()
	return &asking{answer: answer, cancel: cancel}
}

// stop returns when nothing is asked any more, and nothing of it is kept in memory.
func (a *asking) stop() {
	if a.cancel == nil {
		return
	}
	a.cancel()
	for range a.answer { // until it is closed
	}
	*a = asking{}
}

// goodVersion is what the version of a server looks like. Others are not repeated.
var goodVersion = regexp.MustCompile(`^v[0-9][0-9A-Za-z.+_-]{0,62}$`)

// serverVersion returns the version of the member's server, empty where that is not told.
func serverVersion(ctx context.Context, client rest.Interface) string {
	const longest = 64 << 10
	body, err := client.Get().AbsPath("/version").Stream(ctx)
	if err != nil {
		return ""
	}
	defer body.Close()
	var version struct{ GitVersion string }
	if json.NewDecoder(io.LimitReader(body, longest)).Decode(&version) != nil || !goodVersion.MatchString(version.GitVersion) {
		return ""
	}
	return version.GitVersion
}
