package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
)

// inStatus compares what the Canary's own status in the hub says with what step should have it say.
func (s *stage) inStatus(step step, seen sight) (wrong differences) {
	if step.says == nil {
		return nil
	}
	var status status
	status.read(seen.canaries[hubName][checkKey])
	fault := func(expected, found string) {
		wrong = append(wrong, difference{"the status in the " + hubName, expected, cmp.Or(found, "nothing")})
	}
	expect := func(what, expected, found string) {
		if expected != found {
			fault(what+" "+expected, found)
		}
	}
	failing := 0
	for _, agent := range slices.Sorted(maps.Keys(step.says)) {
		entry, state := status.CheckStatus[agent], step.says[agent]
		expect(agent, state.String(), entry.Message)
		if latency, err := time.ParseDuration(entry.Latency); err != nil || latency < latencies[agent] {
			fault(agent+" in no less than "+latencies[agent].String(), entry.Latency)
		}
		if state == results.Failed {
			failing++
			expect(agent+":", "expected 500 to be in [200]", entry.Error)
		}
	}
	whole, counts := results.Passed, fmt.Sprintf("%d passed", len(step.says)-failing)
	if failing > 0 {
		whole, counts = results.Failed, fmt.Sprintf("%s, %d failed", counts, failing)
	}
	expect("status", whole.String(), status.Status)
	expect("message", fmt.Sprintf("%d agents: %s; %[1]d in sync", len(step.says), counts), status.Message)
	expect("agents", fmt.Sprint(len(step.says)), fmt.Sprint(len(status.CheckStatus)))
	return wrong
}

// areReported tells whether canary-checker has said in every member already what step is to show in the hub.
func (s *stage) areReported(step step, seen sight) bool {
	for member, state := range step.says {
		var status status
		if status.read(seen.canaries[member][checkKey]); status.Status != state.String() {
			return false
		}
	}
	return true
}

// status is that of a Canary, as far as the story speaks of it.
type status struct {
	Status      string            `json:"status"`
	Message     string            `json:"message"`
	Error       string            `json:"errorMessage"`
	Latency     string            `json:"latency1h"`
	CheckStatus map[string]status `json:"checkStatus"`
}

// read leaves it empty where there is none.
func (s *status) read(canary *unstructured.Unstructured) {
	if canary == nil {
		return
	}
	if text, err := json.Marshal(canary.Object["status"]); err == nil {
		_ = json.Unmarshal(text, s) // a status that is none is compared like one
	}
}

// kubectlGet is how kubectl shows the Canary in the hub: the columns are the CRD's, and the API server fills them in.
func (s *stage) kubectlGet(ctx context.Context) (header, cells []string, err error) {
	client, err := kubernetes.NewForConfig(s.planes.Cluster(hubName).Config)
	if err != nil {
		return nil, nil, err
	}
	text, err := client.RESTClient().Get().
		AbsPath("apis", derive.Canaries.Group, derive.Canaries.Version, "namespaces", checksNamespace, derive.Canaries.Resource, checkName).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(ctx)
	if err != nil {
		return nil, nil, err
	}
	var table metav1.Table
	if err := json.Unmarshal(text, &table); err != nil || len(table.Rows) != 1 {
		return nil, nil, fmt.Errorf("the hub shows %s as %.200s", checkKey, text)
	}
	for i, column := range table.ColumnDefinitions {
		if column.Priority > 0 {
			continue // for -o wide
		}
		cell := ""
		if value := table.Rows[0].Cells[i]; value != nil {
			cell = fmt.Sprint(value)
		}
		header, cells = append(header, strings.ToUpper(column.Name)), append(cells, cell)
	}
	return header, cells, nil
}
