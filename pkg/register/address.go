package register

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"fanout/pkg/clusters/kubeconfig"
)

// address is how the hub finds a member's server and knows it.
type address struct {
	server, tlsServerName string
	ca                    []byte
}

// addressOf reads it from the configuration by which the person reaches the member, with server in the place of that one's
// own unless it is "".
func addressOf(person *rest.Config, server string) (address, error) {
	if person.Insecure {
		return address{}, errors.New("the member's kubeconfig turns off the check of the server's certificate, which fanout never does: put the server's CA into it, as certificate-authority-data")
	}
	config := rest.CopyConfig(person)
	if err := rest.LoadTLSFiles(config); err != nil {
		return address{}, fmt.Errorf("read the CA that the member's kubeconfig names: %w", err)
	}
	a := address{server: server, tlsServerName: config.ServerName, ca: config.CAData}
	if server != "" {
		return a, nil
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return address{}, fmt.Errorf("the server in the member's kubeconfig: %w", err)
	}
	a.server = strings.TrimSuffix(base.String(), "/")
	if isLoopback(base) {
		return address{}, fmt.Errorf("the member's kubeconfig has the server %s, which is this machine and nothing that the hub can reach: give the address at which the hub finds the member, with --server https://HOST:PORT", a.server)
	}
	return a, nil
}

func isLoopback(server *url.URL) bool {
	host := server.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsUnspecified()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// parsed is the kubeconfig as the controller will read it.
func (a address) parsed(agent, token string) (*kubeconfig.Config, error) {
	text, err := a.kubeconfig(agent, token)
	if err != nil {
		return nil, err
	}
	config, err := kubeconfig.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("fanout would refuse the registration: %w", err)
	}
	return config, nil
}

// kubeconfig is what the Secret holds.
func (a address) kubeconfig(agent, token string) ([]byte, error) {
	const user = "fanout"
	return clientcmd.Write(clientcmdapi.Config{
		CurrentContext: agent,
		Contexts:       map[string]*clientcmdapi.Context{agent: {Cluster: agent, AuthInfo: user}},
		Clusters: map[string]*clientcmdapi.Cluster{agent: {
			Server: a.server, TLSServerName: a.tlsServerName, CertificateAuthorityData: a.ca,
		}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{user: {Token: token}},
	})
}
