// Package api is what a running controller tells of what it knows: the types of /api/v1/ in JSON, and their meaning. The command
// line and the page both show these, whether they come from a controller or, where none can be asked, from the parents' statuses.
// Fields are only ever added to a version.
//
// NewHandler serves a Source over HTTP, and NewClient is one that asks there. Only leaves out of one what somebody may not see. docs/api.md is for whoever asks without either.
package api
