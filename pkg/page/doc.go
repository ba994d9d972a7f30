// Package page shows what an api.Source knows as pages for people: all Canaries on all agents, one Canary, one agent. It is HTML that is whole
// without script, and live where there is one: an open page has a stream on which the server sends it anew when it has changed.
//
//	page.go       what is asked for: paths, methods, headers
//	address.go    the query of a page's address, which is the whole state of a view
//	snapshot.go   what the source knew at one moment, shared by all pages
//	inherit.go    what of it is still so at the next
//	cell.go       one Canary on one agent, in a few bytes
//	filter.go     which Canaries and agents are shown, in what order
//	matrix.go     the page / of all of them
//	canary.go     the page of one Canary; selector.go, chart.go and strip.go are parts of it
//	agent.go      the page of one agent
//	fragment.go   a page's content as HTML, rendered once for all who look at it
//	stream.go     what an open page is sent
//
// Nothing that is asked for here changes anything. Every text of a Canary or a member is anybody's: it goes through clean.go before
// it gets anywhere, and through html/template.
package page
