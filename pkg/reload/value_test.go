package reload

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
)

func TestFilesThatChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certificate, key := filepath.Join(dir, "certificate"), filepath.Join(dir, "key")
		write := func(path, text string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		pair := func(files [][]byte) (string, error) {
			if string(files[0]) != string(files[1]) {
				return "", errors.New("they are no pair")
			}
			return string(files[0]), nil
		}
		open := func() (*Value[string], error) { return Open(klog.Background(), pair, certificate, key) }
		if _, err := open(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without files: %v", err)
		}
		write(certificate, "first")
		write(key, "other")
		if _, err := open(); err == nil {
			t.Error("files that are no pair are taken")
		}
		write(key, "first")
		value, err := open()
		if err != nil {
			t.Fatal(err)
		}
		holds := func(want, when string) {
			t.Helper()
			if got := value.Get(); got != want {
				t.Errorf("%s it is %q, not %q", when, got, want)
			}
		}
		holds("first", "at first")
		write(certificate, "second")
		time.Sleep(pause)
		holds("first", "with one file changed")
		write(key, "second")
		holds("first", "looked at a moment ago")
		time.Sleep(pause)
		holds("second", "changed")
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
		holds("second", "gone")
		write(certificate, "third")
		write(key, "third")
		time.Sleep(pause)
		holds("third", "back")
	})
}
