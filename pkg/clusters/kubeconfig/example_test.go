package kubeconfig_test

import (
	"errors"
	"fmt"

	"fanout/pkg/clusters/kubeconfig"
)

func ExampleParse() {
	config, err := kubeconfig.Parse([]byte(`
apiVersion: v1
kind: Config
current-context: prod
clusters:
- {name: prod, cluster: {server: "https://rancher.example.com/k8s/clusters/c-1"}}
contexts:
- {name: prod, context: {cluster: prod, user: deployer}}
users:
- {name: deployer, user: {token: a-secret}}
`))
	if err != nil {
		panic(err)
	}
	fmt.Println(config)
	fmt.Println(config.Server())
	fmt.Println(config.REST().BearerToken)
	// Output:
	// kubeconfig(rancher.example.com, token)
	// https://rancher.example.com/k8s/clusters/c-1
	// a-secret
}

func ExampleRefusedError() {
	_, err := kubeconfig.Parse([]byte(`
current-context: prod
clusters:
- name: prod
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority: /home/me/ca.crt
contexts:
- {name: prod, context: {cluster: prod, user: admin}}
users:
- name: admin
  user:
    exec: {command: aws}
`))
	var refused *kubeconfig.RefusedError
	if errors.As(err, &refused) {
		for _, fault := range refused.Faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// clusters[name=prod].cluster.certificate-authority (line 7) is the path of a file: embed the content: `kubectl config view --minify --flatten --raw`
	// users[name=admin].user.exec (line 13) runs a command in the hub: create a ServiceAccount in the member and give its token as `token`
}
