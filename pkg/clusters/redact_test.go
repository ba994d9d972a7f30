package clusters

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A server that repeats the request's credential in its refusal does not get it into an error, from where it would
// go on into logs and Events.
func TestARefusalThatRepeatsTheCredentialIsRedacted(t *testing.T) {
	const planted = "planted-credential-3f9a"
	member := serving(t, func(w http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":500,"message":"you said %s as %s with %s"}`,
			req.Header.Get("Authorization"), user, password)
	})
	for name, user := range map[string]string{
		"a token":    "token: " + planted,
		"a password": "{username: somebody, password: " + planted + "}",
	} {
		t.Run(name, func(t *testing.T) {
			conn := connectTo(t, kubeconfigFor(member.URL, user, member.ca()))
			client, _ := clientOver(t, conn)
			_, err := probe(t.Context(), client, time.Minute)
			if err == nil || !strings.Contains(err.Error(), "you said") {
				t.Fatalf("the refusal itself is to be seen, and is: %v", err)
			}
			for _, secret := range []string{planted, base64.StdEncoding.EncodeToString([]byte("somebody:" + planted))} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("it repeats the credential: %v", err)
				}
			}
		})
	}
}
