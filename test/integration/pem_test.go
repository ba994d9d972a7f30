package integration

import (
	"encoding/pem"
	"net/http/httptest"
)

// pemOf is the certificate of a test server as a kubeconfig holds it.
func pemOf(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}
