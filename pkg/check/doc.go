// Package check finds out what stands in the way of fanout in a hub, before and after it is installed. It changes nothing.
package check
