package simulator

import (
	"encoding/base64"
	"fmt"
)

// Kubeconfig leads to a member, as the account that its Secret would name. It is complete in itself.
func (s *Simulator) Kubeconfig(index int) []byte {
	s.mu.Lock()
	place := s.sites[index]
	s.mu.Unlock()
	return kubeconfig("https://"+place.address, place.ca, s.members[index].token)
}

func kubeconfig(server, ca, token string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: member
contexts: [{name: member, context: {cluster: member, user: fanout}}]
clusters: [{name: member, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: fanout, user: {token: %q}}]
`, server, base64.StdEncoding.EncodeToString([]byte(ca)), token)
}
