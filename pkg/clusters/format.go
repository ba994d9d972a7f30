package clusters

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"

	"fanout/pkg/clusters/kubeconfig"
)

// Format is a way in which a Secret registers a member.
type Format string

// The formats, in the order in which a Secret that is marked for several is read.
const (
	// Native is fanout's own: the label LabelSecretType, the agent's name as the Secret's, and KubeconfigKey.
	Native Format = "native"
	// ClusterAPI is the Secret that Cluster API keeps for each of its clusters, <cluster>-kubeconfig.
	ClusterAPI Format = "capi"
	// ArgoCD is the Secret that registers a cluster with Argo CD.
	ArgoCD Format = "argocd"
)

var precedence = []Format{Native, ClusterAPI, ArgoCD}

// The formats of others.
const (
	labelClusterName  = "cluster.x-k8s.io/cluster-name"
	clusterAPISuffix  = "-kubeconfig"
	clusterAPIKey     = "value"
	labelArgoCDType   = "argocd.argoproj.io/secret-type"
	argoCDTypeCluster = "cluster"
	argoCDName        = "name"
	argoCDServer      = "server"
	argoCDConfig      = "config"
)

// Formats are those that are understood.
type Formats []Format

// ParseFormats reads the names of formats, of which there has to be one.
func ParseFormats(names []string) (Formats, error) {
	var formats Formats
	for _, name := range names {
		if !slices.Contains(precedence, Format(name)) {
			return nil, fmt.Errorf("%q is none of the formats native, capi and argocd", name)
		}
		formats = append(formats, Format(name))
	}
	if len(formats) == 0 {
		return nil, errors.New("must name at least one of the formats native, capi and argocd")
	}
	return formats, nil
}

// of returns the format in which secret registers a member, or "".
func (f Formats) of(secret *corev1.Secret) Format {
	for _, format := range precedence {
		if slices.Contains(f, format) && format.marks(secret) {
			return format
		}
	}
	return ""
}

// marks tells whether secret is meant as a registration in this format.
func (f Format) marks(secret *corev1.Secret) bool {
	switch f {
	case Native:
		return secret.Labels[LabelSecretType] == SecretTypeCluster
	case ClusterAPI:
		// The label is on all that Cluster API keeps for a cluster, its CA's key among them.
		cluster := secret.Labels[labelClusterName]
		return cluster != "" && secret.Name == cluster+clusterAPISuffix
	default:
		return secret.Labels[labelArgoCDType] == argoCDTypeCluster
	}
}

// keys are those of a Secret's data that the format reads.
func (f Format) keys() []string {
	switch f {
	case Native:
		return []string{KubeconfigKey}
	case ClusterAPI:
		return []string{clusterAPIKey}
	default:
		return []string{argoCDName, argoCDServer, argoCDConfig}
	}
}

// formatOf returns the format to read a registration in. One that is none any more, and still has a member to be
// cleaned, shows by its keys what it was.
func (f Formats) formatOf(secret *corev1.Secret) Format {
	if format := f.of(secret); format != "" {
		return format
	}
	for _, format := range precedence {
		if !slices.ContainsFunc(format.keys(), func(key string) bool { return secret.Data[key] == nil }) {
			return format
		}
	}
	return Native
}

// agentOf reads the member's name.
func (f Formats) agentOf(secret *corev1.Secret) (string, error) {
	agent, source := secret.Name, "Secret"
	switch f.formatOf(secret) {
	case ClusterAPI:
		agent, source = strings.TrimSuffix(secret.Name, clusterAPISuffix), "cluster"
	case ArgoCD:
		if kubeconfig.IsArgoCDsOwn(secret.Data[argoCDServer]) {
			return "", fmt.Errorf("%w: the key %q names Argo CD's own cluster, the hub; name the agent %q in agentSelector instead",
				errRefused, argoCDServer, reservedAgent)
		}
		agent, source = string(secret.Data[argoCDName]), fmt.Sprintf("key %q", argoCDName)
		if len(content.IsDNS1123Subdomain(agent)) > 0 { // not shown: it may be anything
			return "", fmt.Errorf("%w: the key %q is no name for an agent; make it one, of lower-case letters, digits, '-' and '.'", errRefused, argoCDName)
		}
	}
	if agent == reservedAgent {
		return "", fmt.Errorf("%w: the name %q means the hub itself; give the %s another name", errRefused, reservedAgent, source)
	}
	return agent, nil
}

// configOf reads the member's client configuration.
func (f Formats) configOf(secret *corev1.Secret) (*kubeconfig.Config, error) {
	format := f.formatOf(secret)
	for _, key := range format.keys() {
		if _, ok := secret.Data[key]; !ok {
			content := key
			if format == ClusterAPI {
				content = "kubeconfig"
			}
			return nil, fmt.Errorf("%w: the Secret has no key %q; put the member's %s there", errRefused, key, content)
		}
	}
	var config *kubeconfig.Config
	var err error
	switch format {
	case Native:
		config, err = kubeconfig.Parse(secret.Data[KubeconfigKey])
	case ClusterAPI:
		config, err = kubeconfig.Parse(secret.Data[clusterAPIKey])
	default:
		config, err = kubeconfig.ParseArgoCD(secret.Data[argoCDServer], secret.Data[argoCDConfig])
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	}
	return config, nil
}
