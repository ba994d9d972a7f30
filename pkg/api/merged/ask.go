package merged

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"fanout/pkg/api"
)

// One is one of those that are asked. Its Name is what an error calls it.
type One struct {
	Name string
	api.Source
}

// Agents returns what all of them know of agents.
func Agents(ctx context.Context, all []One, namespaces ...string) (api.Agents, error) {
	answers, silent, err := ask(all, func(s api.Source) (api.Agents, api.Teller, error) {
		answer, err := s.Agents(ctx, namespaces...)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.Agents{}, err
	}
	merged := mergeAgents(answers)
	merged.Teller.Silent = silent
	return merged, nil
}

// Canaries returns what all of them know of parents.
func Canaries(ctx context.Context, all []One, namespace string) (api.Canaries, error) {
	answers, silent, err := ask(all, func(s api.Source) (api.Canaries, api.Teller, error) {
		answer, err := s.Canaries(ctx, namespace)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.Canaries{}, err
	}
	merged := mergeCanaries(answers)
	merged.Teller.Silent = silent
	return merged, nil
}

// Canary returns one parent: of those that share the members one tells of it.
func Canary(ctx context.Context, all []One, namespace, name string) (api.OneCanary, error) {
	answers, _, err := ask(all, func(s api.Source) (api.OneCanary, api.Teller, error) {
		answer, err := s.Canary(ctx, namespace, name)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.OneCanary{}, err
	}
	return answers[0], nil
}

// Find returns what stands in a place of the agent's member: of those that share the members one works with it.
func Find(ctx context.Context, all []One, agent, namespace, name string) (api.OneFound, error) {
	answers, _, err := ask(all, func(s api.Source) (api.OneFound, api.Teller, error) {
		answer, err := s.Find(ctx, agent, namespace, name)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.OneFound{}, err
	}
	return answers[0], nil
}

// Changed returns a channel that is closed when the first of them says that something changed. It is waited for until then, or until done.
func Changed(all []One, done <-chan struct{}) <-chan struct{} {
	if len(all) == 1 {
		return all[0].Changed()
	}
	changed := make(chan struct{})
	var once sync.Once
	for _, one := range all {
		next := one.Changed()
		go func() {
			select {
			case <-next:
				once.Do(func() { close(changed) })
			case <-changed:
			case <-done:
			}
		}()
	}
	return changed
}

// ask asks all at once, and returns the answers, and the names of those that gave none though they should have. One that tells for all is
// believed alone.
func ask[T any](all []One, question func(api.Source) (T, api.Teller, error)) (answers []T, silent []string, err error) {
	type answer struct {
		of     T
		teller api.Teller
		err    error
	}
	given := make([]answer, len(all))
	var asking sync.WaitGroup
	for i, one := range all {
		asking.Go(func() { given[i].of, given[i].teller, given[i].err = question(one.Source) })
	}
	asking.Wait()
	if whole := slices.IndexFunc(given, func(a answer) bool { return a.err == nil && a.teller.Replica == "" }); whole >= 0 {
		return []T{given[whole].of}, nil, nil
	}
	missing, failed := error(nil), fmt.Errorf("%w: there is nobody to ask", api.ErrNotKnown)
	for i, a := range given {
		switch {
		case a.err == nil:
			answers = append(answers, a.of)
		case errors.Is(a.err, api.ErrNotFound):
			missing = a.err
		default:
			silent = append(silent, all[i].Name)
			if errors.Is(failed, api.ErrNotKnown) {
				failed = fmt.Errorf("ask %s: %w", all[i].Name, a.err)
			}
		}
	}
	switch {
	case len(answers) > 0:
		return answers, silent, nil
	case missing != nil:
		return nil, nil, missing
	default:
		return nil, nil, failed
	}
}
