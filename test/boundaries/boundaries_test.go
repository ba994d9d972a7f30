// Package boundaries holds the tree to its layout: which part of it may know which. It reads every file, whatever its build
// tags, and looks at direct imports only: within this module, every rule names all that it leaves open, so that nothing
// comes in through a third package.
package boundaries

import (
	"bytes"
	"go/parser"
	"go/token"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rule forbids the files that match one of in to import what matches one of never, unless it also matches one of except.
type rule struct {
	in            []string
	testsToo      bool
	never, except []string
	because       string
}

var rules = []rule{{
	in:      []string{"pkg/selector/..."},
	never:   []string{"fanout/...", "k8s.io/...", "sigs.k8s.io/..."},
	except:  []string{"fanout/pkg/selector/...", "k8s.io/apimachinery/pkg/labels", "k8s.io/apimachinery/pkg/selection"},
	because: "pkg/selector takes strings and returns a matcher; of Kubernetes it knows label selectors and nothing else",
}, {
	in:      []string{"pkg/clusters/..."},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/clusters/...", "fanout/pkg/selector/...", "fanout/pkg/shard"},
	because: "pkg/clusters turns Secrets into members; it never knows a Canary",
}, {
	in:      []string{"pkg/fanout/..."},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/fanout/...", "fanout/pkg/selector/...", "fanout/pkg/clusters/...", "fanout/pkg/results", "fanout/pkg/shard", "fanout/pkg/api"},
	because: "pkg/fanout builds on pkg/selector, pkg/clusters, pkg/results and pkg/shard, answers as pkg/api has it, and knows nothing else of this module",
}, {
	in:      []string{"pkg/api"},
	never:   []string{"fanout/...", "k8s.io/..."},
	because: "pkg/api says what is told, over HTTP too; who tells and who asks build on it",
}, {
	in:      []string{"pkg/fanout/member/..."},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/fanout/answers", "fanout/pkg/fanout/derive", "fanout/pkg/selector/...", "fanout/pkg/clusters/...", "fanout/pkg/results"},
	because: "what talks to one member knows neither the hub nor the other members",
}, {
	in:      []string{"pkg/fanout/derive/..."},
	never:   []string{"fanout/..."},
	because: "pkg/fanout/derive says what a copy is; hub and members build on it",
}, {
	in:      []string{"pkg/shard"},
	never:   []string{"fanout/...", "k8s.io/..."},
	because: "pkg/shard says who works with what; it knows neither members nor Leases",
}, {
	in:      []string{"pkg/shard/leases"},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/shard", "fanout/pkg/lease"},
	because: "pkg/shard/leases keeps shares by Leases, of whatever work",
}, {
	in:      []string{"pkg/shard/assign.go", "pkg/shard/replica.go"},
	never:   []string{"context", "net/...", "os/...", "log/..."},
	because: "it is pure: values in, values out; times are what it is told",
}, {
	in:      []string{"pkg/peers/..."},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/shard"},
	because: "pkg/peers carries lines from replica to replica; it knows nothing of what is in them",
}, {
	in:      []string{"pkg/access/..."},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/api", "fanout/pkg/fanout/derive"},
	because: "pkg/access says who may see what of any api.Source; it knows neither the controller nor the page",
}, {
	in:      []string{"pkg/rights/...", "pkg/lease/...", "pkg/reload/..."},
	never:   []string{"fanout/..."},
	because: "pkg/rights and pkg/lease ask an API server one thing each, pkg/reload reads files; they know nothing of fanout",
}, {
	in:       []string{"pkg/..."},
	testsToo: true,
	never:    []string{"fanout/cmd/...", "fanout/test/...", "fanout/hack/..."},
	because:  "what is in pkg, and its tests, need neither the binary nor an API server; tests with API servers go to test/integration",
}, {
	in:      []string{"pkg/selector/...", "pkg/fanout/derive/...", "pkg/fanout/member/decide.go"},
	never:   []string{"context", "net/...", "time", "os/...", "log/...", "k8s.io/client-go/...", "k8s.io/klog/...", "github.com/go-logr/..."},
	because: "it is pure: values in, values out, with no client, clock, context or logger",
}, {
	in:      []string{"pkg/results/..."},
	never:   []string{"fanout/...", "context", "net/...", "os/...", "log/...", "k8s.io/...", "sigs.k8s.io/...", "github.com/go-logr/..."},
	except:  []string{"k8s.io/apimachinery/pkg/util/duration"},
	because: "it is pure: statuses in, a status out, with no client, context or logger; of Kubernetes it knows how canary-checker writes a latency",
}, {
	in:      []string{"pkg/show/...", "pkg/why/...", "pkg/preview"},
	never:   []string{"fanout/...", "context", "net/...", "os/...", "log/...", "k8s.io/client-go/...", "github.com/go-logr/..."},
	except:  []string{"fanout/pkg/api", "fanout/pkg/why", "fanout/pkg/preview", "fanout/pkg/selector", "fanout/pkg/results", "fanout/pkg/fanout/derive", "k8s.io/client-go/util/jsonpath"},
	because: "they make words and tables of what pkg/api tells, whoever was asked; they ask nobody",
}, {
	in:      []string{"pkg/preview/look"},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/api", "fanout/pkg/preview", "fanout/pkg/selector", "fanout/pkg/clusters", "fanout/pkg/fanout/derive"},
	because: "pkg/preview/look brings pkg/preview what it takes from any api.Source; it knows no controller",
}, {
	in:      []string{"pkg/page"},
	never:   []string{"fanout/...", "os/...", "log/...", "k8s.io/client-go/..."},
	except:  []string{"fanout/pkg/api", "fanout/pkg/selector", "fanout/pkg/results"},
	because: "pkg/page shows what any api.Source tells; it knows no controller and no cluster",
}, {
	in:      []string{"pkg/api/merged"},
	never:   []string{"fanout/...", "k8s.io/..."},
	except:  []string{"fanout/pkg/api"},
	because: "pkg/api/merged makes one answer of several; it knows not how they are reached",
}, {
	in:      []string{"pkg/api/replicas"},
	never:   []string{"fanout/...", "k8s.io/..."},
	except:  []string{"fanout/pkg/api", "fanout/pkg/api/merged", "fanout/pkg/shard"},
	because: "pkg/api/replicas asks other replicas; how they know each other is pkg/peers' business",
}, {
	in:      []string{"pkg/api/pods"},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/api", "fanout/pkg/api/merged"},
	because: "pkg/api/pods asks controllers; it knows none of what they are made of",
}, {
	in:      []string{"pkg/api/statuses"},
	never:   []string{"fanout/..."},
	except:  []string{"fanout/pkg/api", "fanout/pkg/clusters", "fanout/pkg/fanout/derive", "fanout/pkg/results", "fanout/pkg/selector"},
	because: "pkg/api/statuses reads objects in the hub; it knows no controller",
}}

func TestImports(t *testing.T) {
	files := goFiles(t)
	for _, r := range rules {
		for _, pattern := range r.in {
			matched := 0
			for _, file := range files {
				if !matches(pattern, file.dir) && pattern != file.path || file.isTest && !r.testsToo {
					continue
				}
				matched++
				for _, imported := range imports(t, file) {
					if matchesAny(r.never, imported) && !matchesAny(r.except, imported) {
						t.Errorf("%s imports %s, but: %s", file.path, imported, r.because)
					}
				}
			}
			if matched == 0 {
				t.Errorf("no file is %s any more: where it has moved to, the rule has to follow (%s)", pattern, r.because)
			}
		}
	}
}

func TestClustersNeverKnowACanary(t *testing.T) {
	for _, file := range goFiles(t) {
		if matches("pkg/clusters/...", file.dir) && !file.isTest && bytes.Contains(file.source, []byte("canaries.flanksource.com")) {
			t.Errorf("%s names canaries.flanksource.com, but pkg/clusters never knows a Canary", file.path)
		}
	}
}

// pkg/results imports time for its values, so that it has no clock has to be seen from its text.
func TestResultsHaveNoClock(t *testing.T) {
	clock := regexp.MustCompile(`\btime\.(Now|Since|Until|After|AfterFunc|Tick|Sleep|New[A-Z]\w*)\(`)
	for _, file := range goFiles(t) {
		if found := clock.Find(file.source); matches("pkg/results/...", file.dir) && !file.isTest && found != nil {
			t.Errorf("%s has %s, but what hangs on time in pkg/results takes it as an argument", file.path, found)
		}
	}
}

func TestControllerRuntimeIsNoDependency(t *testing.T) {
	read(t, "go.mod") // so that go test has no cached answer when it changes
	graph, err := exec.Command("go", "list", "-m", "all").Output()
	if err != nil {
		t.Fatalf("go list -m all: %v", err)
	}
	modules := strings.Fields(string(graph))
	if len(modules) < 10 {
		t.Fatalf("go list -m all names hardly a module: %q", modules)
	}
	for _, module := range modules {
		if module == "sigs.k8s.io/controller-runtime" {
			t.Error("controller-runtime is in the module graph, but fanout is built on client-go alone; see: go mod graph | grep controller-runtime")
		}
	}
}

// matches knows two kinds of pattern: a path, and a path with /... behind it, for it and all that lies beneath.
func matches(pattern, path string) bool {
	root, subtree := strings.CutSuffix(pattern, "/...")
	return path == root || subtree && strings.HasPrefix(path, root+"/")
}

func matchesAny(patterns []string, path string) bool {
	for _, pattern := range patterns {
		if matches(pattern, path) {
			return true
		}
	}
	return false
}

func imports(t *testing.T, file goFile) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file.path, file.source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", file.path, err)
		}
		paths = append(paths, path)
	}
	return paths
}
