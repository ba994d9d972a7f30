// Package access finds out who asks for the page or the API, and what of it he may see. Both are the hub's to say: by a TokenReview, or by a
// proxy in front that has asked already; and by SubjectAccessReviews, for the right to get Canaries, namespace by namespace.
//
//	gate.go    what is asked before anything is answered
//	tokens.go  who asks, by the bearer token
//	proxy.go   who asks, by what a proxy says
//	rights.go  what somebody may see
//	views.go   what is answered to those who may see the same
//	hub.go     how the hub is asked: not too much at once
//
// A token is in no log, no error and no cache. What the hub can't be asked is not allowed.
package access
