package main

import "fanout/pkg/results"

// The clusters of the story.
const (
	hubName = "hub"
	euWest  = "eu-west-prod"
	usEast  = "us-east-prod"
	apSouth = "ap-south-dev"
	euNorth = "eu-north-prod"
)

// Where the story happens: the Canary that is told of, and one that an application's Helm chart brought along, which is none of
// fanout's business.
const (
	checksNamespace  = "monitoring"
	checkName        = "api-health"
	bystanderName    = "bundled-check"
	bystanderCluster = apSouth
	membersNamespace = "fanout-system"
)

// check is the Canary that is told of. What it looks at is another service in each cluster. It is run more often than a real canary-checker
// would, so that nobody has to wait.
const check = `apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata:
  name: api-health
  namespace: monitoring
  labels: {team: platform}
spec:
  schedule: "@every 1s"
  http:
    - name: api-endpoint
      url: http://` + serviceAddress + `/health
      responseCodes: [200]
  agentSelector: ["*-prod"]
`

const bystander = `apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata:
  name: bundled-check
  namespace: monitoring
  labels: {app.kubernetes.io/managed-by: Helm}
  annotations: {meta.helm.sh/release-name: payments, meta.helm.sh/release-namespace: monitoring}
spec:
  schedule: "@every 2m"
  http:
    - name: payments
      url: http://payments.payments.svc:8080/health
`

// fate is what a step does to the copy in one member.
type fate string

const (
	created   fate = "created"
	updated   fate = "updated"
	restored  fate = "restored"
	recreated fate = "recreated"
	removed   fate = "removed"
	// untouched is the fate of every copy that a step does not name: the same object in the same version.
	untouched fate = "unchanged"
)

// step is one thing that someone does, and all that should come of it.
type step struct {
	title string
	edits []edit
	fates map[string]fate // by member
	// joins and leaves are members that are registered and deregistered.
	joins, leaves []string
	// says is how the Canary's own status in the hub has each agent fare, where that is what the step is about.
	says map[string]results.State
}

func story(s *stage) []step {
	hub := s.hub
	return []step{
		{
			title: "Write a check once: every agent whose name ends in -prod gets a copy",
			edits: []edit{hub.apply(check)},
			fates: map[string]fate{euWest: created, usEast: created},
		},
		{
			title: "Select every agent: the one that lacks a copy gets it, the others are not written",
			edits: []edit{hub.patchCheck(`{"spec":{"agentSelector":["*"]}}`)},
			fates: map[string]fate{apSouth: created},
		},
		{
			title: "See in the hub how the check fares everywhere: the Canary's own status says so",
			says:  map[string]results.State{euWest: results.Passed, usEast: results.Passed, apSouth: results.Passed},
		},
		{
			title: "Break what it looks at in one cluster: the status says where it fails, and why",
			edits: []edit{s.service(euWest).turn("break")},
			says:  map[string]results.State{euWest: results.Failed, usEast: results.Passed, apSouth: results.Passed},
		},
		{
			title: "Mend it: the check passes everywhere again",
			edits: []edit{s.service(euWest).turn("mend")},
			says:  map[string]results.State{euWest: results.Passed, usEast: results.Passed, apSouth: results.Passed},
		},
		{
			title: "Exclude one agent: its copy goes",
			edits: []edit{hub.patchCheck(`{"spec":{"agentSelector":["*","!us-east-prod"]}}`)},
			fates: map[string]fate{usEast: removed},
		},
		{
			title: "Edit the check: every copy follows",
			edits: []edit{hub.patchCheck(`{"spec":{"schedule":"@every 1m"}}`)},
			fates: map[string]fate{euWest: updated, apSouth: updated},
		},
		{
			title: "Break a copy by hand, in the member: it is put right",
			edits: []edit{s.member(euWest).patchCheck(`{"spec":{"schedule":"@every 24h","http":null}}`)},
			fates: map[string]fate{euWest: restored},
		},
		{
			title: "Delete a copy by hand, in the member: it comes back",
			edits: []edit{s.member(apSouth).deleteCheck()},
			fates: map[string]fate{apSouth: recreated},
		},
		{
			title: "Register a fourth cluster: it gets its copy, and nobody touched the Canary",
			edits: s.register(euNorth),
			joins: []string{euNorth},
			fates: map[string]fate{euNorth: created},
		},
		{
			title:  "Deregister a cluster: its copy goes first, and then its Secret",
			edits:  []edit{s.deregister(apSouth)},
			leaves: []string{apSouth},
			fates:  map[string]fate{apSouth: removed},
		},
		{
			title: "Select by labels instead of names: of two agents the one with the label keeps its copy",
			edits: []edit{s.label(euWest, "tier", "prod"), hub.patchCheck(`{"spec":{"agentSelector":["tier=prod"]}}`)},
			fates: map[string]fate{euNorth: removed},
		},
		{
			title: "Label another agent: it gets its copy, and nobody touched the Canary",
			edits: []edit{s.label(usEast, "tier", "prod")},
			fates: map[string]fate{usEast: created},
		},
		{
			title: "Delete the Canary: every copy goes",
			edits: []edit{hub.deleteCheck()},
			fates: map[string]fate{euWest: removed, usEast: removed},
		},
	}
}
