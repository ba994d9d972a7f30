package controlplane

import (
	"context"
	"os"
	"testing"
)

// ForTest starts control planes for one test and stops them at its end. Where a package has many tests, start one Set in
// TestMain and share it: a start costs seconds, and a namespace for each test costs nothing.
func ForTest(t testing.TB, names ...string) *Set {
	t.Helper()
	s, err := Start(t.Context(), Options{Dir: t.TempDir(), Names: names, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ForMain runs a package's tests with control planes that they share, for TestMain:
//
//	func TestMain(m *testing.M) {
//		os.Exit(controlplane.ForMain(m, &shared, "hub", "member"))
//	}
//
// It fills set before the tests run, and returns the exit code after all has been stopped and removed. The first build takes
// minutes, which go test shows only afterwards and counts against its timeout: make the binary before.
func ForMain(m interface{ Run() int }, set **Set, names ...string) int {
	return ForMainWith(m, set, Options{Names: names})
}

// ForMainWith is ForMain for those who want more than names. Where the data is and where it logs is not up to them.
func ForMainWith(m interface{ Run() int }, set **Set, opts Options) int {
	dir, err := os.MkdirTemp("", "controlplane-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	opts.Dir, opts.Log = dir, os.Stderr
	*set, err = Start(context.Background(), opts)
	if err != nil {
		return complain(err)
	}
	code := m.Run()
	if err := (*set).Stop(); err != nil {
		return complain(err)
	}
	return code
}

func complain(err error) int {
	os.Stderr.WriteString(err.Error() + "\n")
	return 1
}
