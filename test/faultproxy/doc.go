// Package faultproxy puts a proxy between fanout and an API server, at which a test makes the network and the server
// fail, and holds single requests.
//
// A Proxy takes TLS connections with a certificate of its own, HTTP/1.1 and HTTP/2, and forwards each request with
// the bearer token that it carries; client certificates end at the proxy. Watches are passed on event by event. Faults
// are set while it runs, several at once; each is healed by the function that set it returns, and all by Heal.
//
// What happens to a request, in the order in which it happens: observers see it; a hold that it matches runs its
// function; Delay waits; Answer answers in the server's place; else the request is forwarded; Slow keeps the
// answer back. What happens to connections happens beneath that, to their bytes.
package faultproxy
