package standin

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"
)

// job is a Canary that is run.
type job struct {
	spec     any // what it was scheduled with
	schedule cron.Schedule
	next     time.Time
	last     time.Time // when it was run last
	checks   map[string]*history
}

// firstRun is how long after it took a Canary in, or an edit of it, canary-checker was seen to run it.
const firstRun = 500 * time.Millisecond

// never says that a Canary has no schedule.
const never = "@never"

// scheduleOf returns the schedule of a Canary, empty where it is not to be run.
func scheduleOf(canary *unstructured.Unstructured) string {
	spec, _ := canary.Object["spec"].(object)
	selector, _ := spec["agentSelector"].([]any)
	replicas, hasReplicas := spec["replicas"].(int64)
	if len(selector) > 0 || hasReplicas && replicas == 0 || canary.GetAnnotations()["suspend"] == "true" || len(checksOf(canary)) == 0 {
		return ""
	}
	schedule, _ := spec["schedule"].(string)
	if interval, ok := spec["interval"].(int64); ok && schedule == "" && interval > 0 {
		schedule = fmt.Sprintf("@every %ds", interval)
	}
	if schedule == never {
		return ""
	}
	return schedule
}

// schedule has a Canary run at once and then by its schedule, if it is new or its spec another than before.
func (c *checker) schedule(key cache.ObjectName, canary *unstructured.Unstructured) error {
	text := scheduleOf(canary)
	if text == "" {
		c.unschedule(key)
		return nil
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		c.unschedule(key)
		return fmt.Errorf("failed to sync canary job: failed to schedule canary %s (alias: [%s]): %w", canary.GetUID(), key, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.jobs[key]
	switch {
	case known == nil:
		c.jobs[key] = &job{spec: canary.Object["spec"], schedule: schedule, checks: map[string]*history{}}
	case reflect.DeepEqual(known.spec, canary.Object["spec"]):
		return nil
	default:
		known.spec, known.schedule, known.next = canary.Object["spec"], schedule, time.Time{}
	}
	c.due.AddAfter(key, firstRun)
	return nil
}

func (c *checker) unschedule(key cache.ObjectName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.jobs, key)
}

// runNow has a scheduled Canary run once more.
func (c *checker) runNow(key cache.ObjectName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if j := c.jobs[key]; j != nil {
		j.next = time.Time{}
		c.due.Add(key)
	}
}

// runDue runs a Canary if that is due, and says when it will be again.
func (c *checker) runDue(ctx context.Context, key cache.ObjectName) error {
	canary := c.store.get(key)
	now := time.Now()
	c.mu.Lock()
	j := c.jobs[key]
	if j == nil || canary == nil {
		c.mu.Unlock()
		return nil
	}
	if early := j.next.Sub(now); early > 0 { // it was put off since
		c.mu.Unlock()
		c.due.AddAfter(key, early)
		return nil
	}
	next := j.schedule.Next(now)
	j.next = next
	tooSoon := !j.last.IsZero() && now.Sub(j.last) < c.options.MinimumInterval
	if !tooSoon {
		j.last = now
	}
	c.mu.Unlock()
	c.due.AddAfter(key, time.Until(next))
	if tooSoon {
		return nil
	}
	results := c.perform(ctx, checksOf(canary))
	if ctx.Err() != nil {
		return nil
	}
	return c.report(ctx, key, j, results)
}
