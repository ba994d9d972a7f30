package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// In an image with no files there are public CAs nevertheless.
func TestThereAreRootsWithoutASystem(t *testing.T) {
	if os.Getenv("FANOUT_TEST_ROOTS") != "" {
		pool, err := x509.SystemCertPool()
		if err != nil || pool.Equal(x509.NewCertPool()) {
			t.Errorf("no CA is known, %v", err)
		}
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestThereAreRootsWithoutASystem$")
	command.Env = append(os.Environ(), "FANOUT_TEST_ROOTS=here", "SSL_CERT_FILE=/does/not/exist", "SSL_CERT_DIR=/does/not/exist")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
