// Package pods asks the controllers that run in a hub, over connections that the hub forwards to their pods: whoever may do that there
// (create on pods/portforward) may ask. It opens no port on the machine that it runs on.
//
//	find.go     which pods there are
//	forward.go  a connection to a port of one
//	lead.go     requests of any kind, sent to one that tells
//	source.go   all of them as one api.Source
package pods
