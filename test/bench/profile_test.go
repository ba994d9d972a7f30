package bench

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"fanout/test/fixture"
)

// profileHeap writes what is in fanout's memory, where -profile asks for it.
func (w *world) profileHeap(t *testing.T) {
	t.Helper()
	if *profile {
		w.download(t, "/debug/pprof/heap?gc=1", w.scenario+".heap")
	}
}

// profileCPU begins to write what fanout does in the next so many seconds, where -profile asks for it. What it returns waits for that.
func (w *world) profileCPU(t *testing.T, seconds int) func() {
	t.Helper()
	if !*profile {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.download(t, fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds), w.scenario+".cpu")
	}()
	return func() { <-done }
}

func (w *world) download(t *testing.T, path, name string) {
	t.Helper()
	name = filepath.Join(*output, name)
	err := os.MkdirAll(*output, 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(served(t, w.fanout, path)), 0o644)
	}
	if err != nil {
		t.Error(err)
		return
	}
	t.Logf("wrote %s", name)
}

// served is what fanout serves at a path, however long that takes it.
func served(t *testing.T, f *fixture.Fanout, path string) string {
	t.Helper()
	response, err := http.Get(f.URL(path))
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}
