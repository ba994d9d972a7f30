package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// hubFlags are how a command for people finds the hub: kubectl's own flags, and where fanout is in it.
type hubFlags struct {
	kube             *genericclioptions.ConfigFlags
	clusterNamespace string
	leaseName        string
}

func newHubFlags() *hubFlags {
	kube := genericclioptions.NewConfigFlags(false)
	// What names one namespace or one server would be taken for the member's; what holds a credential belongs in a file.
	kube.Namespace, kube.APIServer, kube.TLSServerName, kube.Insecure, kube.CAFile = nil, nil, nil, nil, nil
	kube.CertFile, kube.KeyFile, kube.BearerToken, kube.CacheDir, kube.DisableCompression = nil, nil, nil, nil, nil
	*kube.Timeout = defaultFlags().requestTimeout.String()
	return &hubFlags{kube: kube, clusterNamespace: "fanout-system", leaseName: defaultFlags().leaderElection.ResourceName}
}

func (f *hubFlags) addTo(flags *pflag.FlagSet) {
	f.kube.AddFlags(flags)
	for name, usage := range map[string]string{
		"kubeconfig": "Kubeconfig of the hub. By default the one that kubectl uses.",
		"context":    "Context of the hub. By default the kubeconfig's current one.",
	} {
		flags.Lookup(name).Usage = usage
	}
	flags.StringVar(&f.clusterNamespace, "cluster-namespace", f.clusterNamespace, "Namespace in the hub with the Secrets that register members.")
}

// addLeaseTo is for the commands that look whether a controller runs.
func (f *hubFlags) addLeaseTo(flags *pflag.FlagSet) {
	flags.StringVar(&f.leaseName, "leader-elect-resource-name", f.leaseName, "Name of the Lease by which a controller that runs is known, in the same namespace.")
}

// nowhere is what cli-runtime takes for the cluster where nothing says which one is meant.
const nowhere = "http://localhost:8080"

// config is the hub's.
func (f *hubFlags) config() (*rest.Config, error) {
	// To the loader a timeout is a configuration, and in a pod, without a kubeconfig, it would not look for the pod's own cluster.
	timeout := *f.kube.Timeout
	*f.kube.Timeout = "0"
	config, err := f.kube.ToRESTConfig()
	*f.kube.Timeout = timeout
	if err == nil && config.Host == nowhere {
		if raw, rawErr := f.kube.ToRawKubeConfigLoader().RawConfig(); rawErr == nil && len(raw.Clusters) == 0 {
			err = clientcmd.ErrEmptyConfig
		}
	}
	if err == nil {
		config.Timeout, err = clientcmd.ParseTimeout(timeout)
	}
	if err != nil {
		return nil, noCluster("the hub (--kubeconfig, --context)", f.kube.ToRawKubeConfigLoader(), *f.kube.Context, err)
	}
	config.UserAgent = userAgent()
	config.QPS = -1
	return config, nil
}

// memberFlags are how a command finds the member.
type memberFlags struct{ kubeconfig, context string }

func (f *memberFlags) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&f.kubeconfig, "member-kubeconfig", f.kubeconfig, "Kubeconfig of the member. By default the one that kubectl uses.")
	flags.StringVar(&f.context, "member-context", f.context, "Context of the member. With --member-kubeconfig, by default its current one.")
}

func (f *memberFlags) given() bool { return f.kubeconfig != "" || f.context != "" }

func (f *memberFlags) config() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, noCluster("the member (--member-kubeconfig, --member-context)", loader, f.context, err)
	}
	config.UserAgent = userAgent()
	config.QPS = -1
	config.Timeout = defaultFlags().requestTimeout
	return config, nil
}

// noCluster explains why a kubeconfig leads nowhere.
func noCluster(which string, loader clientcmd.ClientConfig, context string, err error) error {
	raw, rawErr := loader.RawConfig()
	switch {
	case rawErr != nil:
		err = rawErr
	case context != "" && raw.Contexts[context] == nil:
		return fmt.Errorf("find %s: there is no context %q; there are: %s", which, context, strings.Join(slices.Sorted(maps.Keys(raw.Contexts)), ", "))
	case clientcmd.IsEmptyConfig(err):
		err = errors.New("there is no kubeconfig, or no current context in it")
	}
	return fmt.Errorf("find %s: %w", which, err)
}
