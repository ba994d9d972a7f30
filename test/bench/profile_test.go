package bench

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
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
	response, err := http.Get(w.fanout.URL(path))
	if err != nil {
		t.Error(err)
		return
	}
	defer response.Body.Close()
	if err := os.MkdirAll(*output, 0o755); err != nil {
		t.Error(err)
		return
	}
	file, err := os.Create(filepath.Join(*output, name))
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	if _, err := io.Copy(file, response.Body); err != nil {
		t.Error(err)
	}
	t.Logf("wrote %s", file.Name())
}
