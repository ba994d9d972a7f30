// Package kubeconfig turns the bytes of an untrusted kubeconfig, or of an Argo CD cluster Secret, into a client
// configuration.
//
// A kubeconfig can run commands, read files, send a credential through a proxy and act as somebody else. Nothing
// of that may happen in the hub because somebody wrote a Secret. So the configuration is not filtered but rebuilt:
// Parse reads the current context, takes the fields of a short list (server, CA, client certificate, token, user and
// password, TLS server name), checks each, and builds a rest.Config of these alone. Everything else in the current
// context is refused; what belongs to other contexts is not looked at. ParseArgoCD does the same with that other way to say
// the same things.
//
// The package guarantees:
//
//   - It opens no file and no connection, and reads no environment and no clock. Time and memory are bounded by MaxSize.
//   - An error holds nothing of the content: fields are named from this package's own vocabulary, and libraries' errors,
//     which quote what they read, are dropped. The exception is the name of a context, cluster or user, where it
//     looks like a name (see printable).
//   - A Config shows no credential however it is printed.
//
// What remains: the server may be any address that the hub can reach with https, and a configuration without a CA
// trusts the hub's own root certificates. Who may write cluster Secrets decides where the hub connects to.
package kubeconfig
