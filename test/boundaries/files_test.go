package boundaries

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// goFile is a file of the tree. Its path, and that of its directory, begin at the root.
type goFile struct {
	path, dir string
	isTest    bool
	source    []byte
}

// goFiles reads all of pkg.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := fs.WalkDir(os.DirFS(root), "pkg", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".go" {
			return err
		}
		files = append(files, goFile{
			path:   name,
			dir:    path.Dir(name),
			isTest: strings.HasSuffix(name, "_test.go"),
			source: read(t, name),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
