package plane

import "strings"

// The files of a plane, relative to its Dir, where its processes run.
const (
	portFile        = "port"
	caCertFile      = "ca.crt"
	caKeyFile       = "ca.key"
	servingCertFile = "apiserver.crt"
	servingKeyFile  = "apiserver.key"
	tokenKeyFile    = "service-account.key"
	auditPolicyFile = "audit-policy.yaml"
	auditLogFile    = "audit.log"
)

// EtcdClientURL and EtcdPeerURL are sockets in Dir. They need no port and are closed to other users, and relative they fit into a
// socket's 100 bytes of address however deep Dir lies.
const (
	EtcdClientURL = "unix://etcd.sock"
	EtcdPeerURL   = "unix://peer.sock"
)

// Every write is logged once, when it is complete. Leases and events go on for ever without anybody's doing.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  resources:
  - group: coordination.k8s.io
    resources: [leases]
  - group: ""
    resources: [events]
  - group: events.k8s.io
    resources: [events]
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

// EtcdFlags returns etcd's flags, except those that hold URLs.
func EtcdFlags() []string {
	return []string{
		"--name=etcd",
		"--data-dir=etcd",
		"--initial-cluster=etcd=" + EtcdPeerURL,
		// Nobody's data: surviving the end of the process is enough, surviving that of the machine isn't asked for.
		"--unsafe-no-fsync",
		"--log-level=warn",
		"--enable-grpc-gateway=false",
		// A member alone waits for one election timeout at every start.
		"--heartbeat-interval=50",
		"--election-timeout=250",
		// Entries are kept in memory until the next snapshot.
		"--snapshot-count=1000",
	}
}

// APIServerFlags returns kube-apiserver's flags, except the port. What is complete lacks nothing that a cluster's has.
func APIServerFlags(complete bool) []string {
	flags := []string{
		"--etcd-servers=" + EtcdClientURL,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/24",

		"--tls-cert-file=" + servingCertFile,
		"--tls-private-key-file=" + servingKeyFile,
		"--client-ca-file=" + caCertFile,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + tokenKeyFile,
		"--service-account-signing-key-file=" + tokenKeyFile,
		"--authorization-mode=RBAC",

		"--audit-policy-file=" + auditPolicyFile,
		"--audit-log-path=" + auditLogFile,
		// Not rotated: tests count what is in it.
		"--audit-log-maxsize=10000",

		// From here on: what nobody asks of a cluster without nodes is off, for memory and for the time to start.
		"--enable-priority-and-fairness=false",
		"--profiling=false",
	}
	if complete {
		return flags
	}
	return append(flags,
		"--disable-admission-plugins="+strings.Join(unusedAdmission(), ","),
		"--runtime-config="+strings.Join(unusedAPIs(), "=false,")+"=false")
}

// unusedAdmission are plugins about pods, volumes and quotas. What remains: NamespaceLifecycle, and webhooks and policies,
// by which a test can make a member refuse.
func unusedAdmission() []string {
	return []string{
		"CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction", "DefaultIngressClass",
		"DefaultStorageClass", "DefaultTolerationSeconds", "LimitRanger", "PersistentVolumeClaimResize", "PodSecurity",
		"Priority", "ResourceQuota", "RuntimeClass", "ServiceAccount", "StorageObjectInUseProtection",
		"TaintNodesByCondition",
	}
}

func unusedAPIs() []string {
	return []string{
		"apps/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1", "certificates.k8s.io/v1",
		"flowcontrol.apiserver.k8s.io/v1", "node.k8s.io/v1", "policy/v1", "resource.k8s.io/v1", "scheduling.k8s.io/v1",
		"storage.k8s.io/v1", "storagemigration.k8s.io/v1",
	}
}
