package bench

import (
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"fanout/pkg/fanout/derive"
)

// listsAtOnce keeps cores busy, and each member's server from waiting so long for its turn that the client gives up.
const listsAtOnce = 64

// bareLists lists all Canaries of all members of the fleet, each over a connection of its own, and returns how long that took.
func (w *world) bareLists(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	slots, group := make(chan struct{}, listsAtOnce), sync.WaitGroup{}
	for _, site := range w.sites[:w.fleet] {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			config, err := clientcmd.RESTConfigFromKubeConfig(site.Kubeconfig)
			if err != nil {
				t.Error(err)
				return
			}
			config.QPS = -1
			over, err := rest.HTTPClientFor(config)
			if err != nil {
				t.Error(err)
				return
			}
			defer over.CloseIdleConnections()
			client, err := dynamic.NewForConfigAndClient(config, over)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := client.Resource(derive.Canaries).List(t.Context(), metav1.ListOptions{ResourceVersion: "0"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	return time.Since(began)
}
