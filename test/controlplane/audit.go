package controlplane

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
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
	c.audited.mu.Lock()
	defer c.audited.mu.Unlock()
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
	err = wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		if err := c.audited.readOn(c.auditLog()); err != nil {
			return false, err
		}
		return c.audited.marker == marker, nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit log of %s: %w", c.Name, err)
	}
	return slices.Clone(c.audited.writes), nil
}

// audited is an audit log as far as it has been read: it grows for as long as the cluster runs, and is asked for often.
type audited struct {
	mu     sync.Mutex
	read   int64 // bytes, all of them whole lines
	writes []Write
	marker string // the last one
}

// readOn reads what has been added.
func (a *audited) readOn(name string) error {
	log, err := os.Open(name)
	if err != nil {
		return err
	}
	defer log.Close()
	if _, err := log.Seek(a.read, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil // what follows the last newline is still being written
		}
		if err != nil {
			return err
		}
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%w in %s", err, line)
		}
		a.read += int64(len(line))
		switch {
		case e.Stage != "ResponseComplete":
		case isMarker(&e):
			a.marker = e.ObjectRef.Name
		default:
			a.writes = append(a.writes, e.write())
		}
	}
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
