package controlplane

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
)

// Write is a write request that the API server has answered, as its audit log has it. Leases and Events are not logged.
type Write struct {
	// Verb is create, update, patch, delete or deletecollection. An apply is a patch.
	Verb string
	// Group, Resource and Subresource say of what; Namespace and Name of which, where the request named one.
	Group, Resource, Subresource, Namespace, Name string
	// User and UserAgent say by whom, and Query what the URL says besides, such as fieldManager and dryRun.
	User, UserAgent, Query string
	// Credential tells one credential of a user from another: the ID of a token ("JTI=…"), the hash of a client certificate.
	Credential string
	// Code is the HTTP status: less than 300 when the write was accepted, whether or not it changed anything.
	Code int
	// Time is when the request arrived.
	Time time.Time
}

// Writes counts the accepted writes to a resource ("canaries", "secrets") and its subresources, since the cluster was first
// started.
func (c *Cluster) Writes(ctx context.Context, resource string) (int, error) {
	all, err := c.AuditedWrites(ctx)
	if err != nil {
		return 0, err
	}
	return len(slices.DeleteFunc(all, func(w Write) bool { return w.Resource != resource || w.Code >= 300 })), nil
}

// AuditedWrites returns all writes since the cluster was first started, among them every one that was answered before the call.
func (c *Cluster) AuditedWrites(ctx context.Context) ([]Write, error) {
	// The log is written after the answer. A write of our own that has appeared there means that the earlier ones have, too.
	marker := "audit-marker-" + rand.String(10)
	client, err := dynamic.NewForConfig(c.Config)
	if err != nil {
		return nil, err
	}
	err = client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(metav1.NamespaceDefault).
		Delete(ctx, marker, metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("mark the audit log of %s: %w", c.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var log []byte
	err = wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		log, err = os.ReadFile(c.auditLog())
		// Looked for near the end only: the log may be long.
		return bytes.Contains(log[max(0, len(log)-64<<10):], []byte(marker)), err
	})
	if err != nil {
		return nil, fmt.Errorf("audit log of %s: %w", c.Name, err)
	}
	return parseAudit(log)
}

// auditEvent has the fields of audit.k8s.io/v1 Event that a Write needs.
type auditEvent struct {
	Stage                    string
	Verb                     string
	RequestURI               string
	UserAgent                string
	User                     auditUser
	ObjectRef                struct{ APIGroup, Resource, Subresource, Namespace, Name string }
	ResponseStatus           struct{ Code int }
	RequestReceivedTimestamp time.Time
}

type auditUser struct {
	Username string
	Extra    map[string][]string
}

func parseAudit(log []byte) ([]Write, error) {
	var writes []Write
	lines := bufio.NewReader(bytes.NewReader(log))
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return writes, nil // what follows the last newline is still being written
		}
		if err != nil {
			return nil, err
		}
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%w in %s", err, line)
		}
		if e.Stage == "ResponseComplete" && !isMarker(&e) {
			writes = append(writes, e.write())
		}
	}
}

func isMarker(e *auditEvent) bool {
	return e.ObjectRef.Resource == "configmaps" && strings.HasPrefix(e.ObjectRef.Name, "audit-marker-")
}

func (e *auditEvent) write() Write {
	w := Write{
		Verb: e.Verb, User: e.User.Username, UserAgent: e.UserAgent, Code: e.ResponseStatus.Code, Time: e.RequestReceivedTimestamp,
		Group: e.ObjectRef.APIGroup, Resource: e.ObjectRef.Resource, Subresource: e.ObjectRef.Subresource,
		Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name,
	}
	_, w.Query, _ = strings.Cut(e.RequestURI, "?")
	w.Credential = strings.Join(e.User.Extra["authentication.kubernetes.io/credential-id"], " ")
	return w
}
