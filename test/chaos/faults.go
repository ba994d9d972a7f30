package chaos

import (
	"fmt"
	"time"

	"fanout/test/faultproxy"
)

func (r *round) memberFault(n numbers) string {
	return r.fault(members[n[0]%len(members)], n, 2500*time.Millisecond)
}

// hubFault is shorter: after each, client-go waits twice as long before it watches the hub again.
func (r *round) hubFault(n numbers) string { return r.fault(hubCluster, n, time.Second) }

// fault sets something wrong between fanout and a cluster, for a while.
func (r *round) fault(name string, n numbers, longest time.Duration) string {
	r.faults++
	p := r.w.clusters[name].proxy
	length := 50*time.Millisecond + time.Duration(n[1])*longest/(1<<16)
	verb := []string{"", "patch", "delete", "list", "watch", "get"}[n[3]%6]
	some := faultproxy.Match{Share: 0.1 + float64(n[3]%10)/10}
	canaries := faultproxy.Match{Verb: verb, Resource: "canaries", Share: some.Share}
	var what string
	var heal func()
	switch n[2] % 10 {
	case 0:
		what, heal = "cut", p.Cut()
	case 1:
		p.Reset()
		return name + ": reset"
	case 2:
		what, heal = "blackhole", p.Blackhole()
	case 3:
		p.HalfOpen()
		return name + ": half open"
	case 4:
		what, heal = "throttle", p.Throttle(500+n[3]%4000)
	case 5:
		what, heal = "delay", p.Delay(time.Duration(50+n[3]%700)*time.Millisecond, some)
	case 6:
		what, heal = "slow "+verb, p.Slow(time.Duration(1+n[3]%4)*time.Second, canaries)
	case 7:
		code := []int{429, 500, 503, 507}[n[3]%4]
		what, heal = fmt.Sprintf("answer %d to everything", code), p.Answer(code, some)
	default:
		code := []int{429, 500, 503, 507}[n[3]%4]
		what, heal = fmt.Sprintf("answer %d to %s canaries", code, verb), p.Answer(code, canaries)
	}
	r.heals = append(r.heals, time.AfterFunc(length, heal))
	return fmt.Sprintf("%s: %s for %s", name, what, length.Round(time.Millisecond))
}

// healAll ends all faults and lets nothing be held any more.
func (r *round) healAll() {
	for _, timer := range r.heals {
		timer.Stop()
	}
	for _, c := range r.w.clusters {
		c.proxy.Heal()
	}
	for _, to := range r.w.ways {
		to.proxy.Heal()
	}
	for _, h := range r.holds {
		h.Cancel()
	}
	r.heals, r.holds = nil, nil
}
