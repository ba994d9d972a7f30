package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// aBinary is a static program of that size at least.
func aBinary(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fanout")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if built, err := os.Stat(path); err != nil || built.Size() < size && os.Truncate(path, size) != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheSameBinaryIsTheSameArchive(t *testing.T) {
	var archives [2][]byte
	for i := range archives {
		output := filepath.Join(t.TempDir(), "out", "fanout.tar")
		if err := run(aBinary(t, 0), "arm64", "fanout:dev", "v1.2.3", "abc", output); err != nil {
			t.Fatal(err)
		}
		var err error
		if archives[i], err = os.ReadFile(output); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			mustHold(t, output)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of the same binary differ")
	}
}

func mustHold(t *testing.T, archive string) {
	t.Helper()
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	want := v1.Config{User: "65532:65532", Entrypoint: []string{"/fanout"}}
	if config.OS != "linux" || config.Architecture != "arm64" || config.Config.User != want.User || strings.Join(config.Config.Entrypoint, " ") != "/fanout" {
		t.Errorf("it is %+v", config)
	}
	if config.Config.Labels["org.opencontainers.image.version"] != "v1.2.3" || !config.Created.IsZero() {
		t.Errorf("it is of %v, with the labels %v", config.Created, config.Config.Labels)
	}
}

func TestAnImageThatIsTooLarge(t *testing.T) {
	err := run(aBinary(t, maxSize+1), "amd64", "fanout:dev", "", "", filepath.Join(t.TempDir(), "fanout.tar"))
	if err == nil || !strings.Contains(err.Error(), "an image may have") {
		t.Errorf("it is taken: %v", err)
	}
}

func TestWhatTheImageCouldNotRun(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for binary, says := range map[string]string{shell: "needs libraries", "main.go": "is no program"} {
		if err := run(binary, "amd64", "fanout:dev", "", "", filepath.Join(t.TempDir(), "fanout.tar")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", binary, err)
		}
	}
}
