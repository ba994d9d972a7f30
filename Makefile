.DEFAULT_GOAL := help
.PHONY: help build image helm release controlplane test test-unit test-charts test-browser screenshots test-canaries test-canary-checker e2e kind-up kind-load kind-down demo bench bench-quick profile chaos fuzz verify update clean

export FUZZTIME ?= 30s

VERSION = $(word 1,$(shell hack/version.sh))
COMMIT  = $(word 2,$(shell hack/version.sh))
# Two dozen test binaries are linked whenever tests run; nobody needs what debuggers read of them.
TEST = go test -race -ldflags=-w -count=1

LDFLAGS = -X k8s.io/component-base/version.gitVersion=$(VERSION) -X k8s.io/component-base/version.gitCommit=$(COMMIT)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile

build: ## Build bin/fanout
	go build -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/fanout ./cmd/fanout

image: ## Build fanout's image, IMAGE=fanout:dev, for ARCHS="amd64 arm64": archives in out/image, and in docker where there is one
	hack/image/build.sh ./cmd/fanout $(or $(IMAGE),fanout:dev) out/image $(or $(ARCHS),amd64 arm64)

helm: ## Build bin/helm, which charts are tested and packed with: some minutes the first time
	go build -C hack/tools/helm -buildvcs=false -o ../../../bin/helm helm.sh/helm/v4/cmd/helm

release: helm ## Write a release of this commit to out/release, for all platforms or PLATFORMS="linux/amd64 …"
	hack/release/release.sh out/release $(PLATFORMS)

controlplane: ## Build bin/controlplane, the real API servers of tests and demo: 8 minutes the first time, then a second
	hack/controlplane/build.sh bin/controlplane

test: controlplane ## All tests, with the race detector and real API servers: the one that takes longest first, and the others beside it
	$(TEST) -timeout 50m ./test/integration ./...
	cd hack/controlplane && $(TEST) -timeout 30m ./plane ./test

test-unit: ## The tests that need no API server
	go test -race ./cmd/... ./pkg/... ./test/boundaries ./test/commands
	cd hack/image && go test -race .

test-charts: helm controlplane ## The charts: every switch, its manifests on a real API server, what alerts and dashboard ask for
	cd test/charts && go test -count=1 -timeout 15m ./...

test-browser: controlplane ## The page in a headless Chromium (CHROMIUM=PATH, else the installed one), with an audit by axe-core, which npm fetches
	test/browser/axe.sh out/axe.min.js
	cd test/browser && go test -count=1 -timeout 20m ./...

screenshots: ## Take the pictures of the page in docs/images
	cd test/browser && go test -count=1 -timeout 10m -run '^TestScreenshots$$' . -screenshots ../../docs/images

test-canaries: controlplane ## Send canary-checker's own Canaries, or those in FANOUT_TEST_CANARIES=FOLDER, through hub and members
	go test -race -count=1 -timeout 30m -v -run '^TestEveryUpstreamCanary$$' ./test/integration

test-canary-checker: controlplane ## What concerns canary-checker, with a real one: CANARY_CHECKER=PATH POSTGRES=URL (of a database whose user may create others; needs psql)
	@test -n '$(CANARY_CHECKER)' -a -n '$(POSTGRES)' || { echo 'say which: make test-canary-checker CANARY_CHECKER=PATH POSTGRES=URL' >&2; exit 2; }
	FANOUT_TEST_CANARY_CHECKER=$(abspath $(CANARY_CHECKER)) FANOUT_TEST_POSTGRES='$(POSTGRES)' \
		go test -race -count=1 -timeout 30m -v -run '^TestChecker' ./test/integration

e2e: ## Hold fanout, as it is installed and typed, to its promises on kind: a hub and three members, which stay up (needs Docker, kubectl, Helm)
	go -C hack/kind run -buildvcs=false . -bare up
	FANOUT_E2E_KUBECONFIG='$(CURDIR)/out/kind/kubeconfig' go test -count=1 -timeout 45m -v ./test/e2e

kind-up: ## A hub and members on kind, fanout installed, members registered: MEMBERS="eu-west-prod us-east-prod ap-south-dev"
	go -C hack/kind run -buildvcs=false . up $(MEMBERS)

kind-load: ## Bring fanout as it is now into the clusters that kind-up made
	go -C hack/kind run -buildvcs=false . load $(MEMBERS)

kind-down: ## Delete the clusters that kind-up, or e2e, made
	go -C hack/kind run -buildvcs=false . down $(MEMBERS)

demo: ## Show fanout at work on real API servers; STAY=0 ends it when all is shown
	go build -buildvcs=false -o bin/demo ./hack/demo && bin/demo

bench: controlplane ## Measure fanout against a bare client-go program, and with thousands of members: SCENARIO=all, or some of docs/performance.md
	go test -run '^TestScenarios$$' -count=1 -timeout 0 -v ./test/bench -scenarios '$(or $(SCENARIO),all)'

bench-quick: controlplane ## The same with fewer members, in some six minutes: fails where a figure that is no time is too high
	go test -run '^TestScenarios$$' -count=1 -timeout 30m -v ./test/bench -scenarios '$(or $(SCENARIO),all)' -quick

profile: controlplane ## Profiles of fanout's CPU and memory in a scenario, to out/: SCENARIO=status-storm QUICK=1
	@test -n '$(SCENARIO)' || { echo 'say in which: make profile SCENARIO=status-storm' >&2; exit 2; }
	go test -run '^TestScenarios$$' -count=1 -timeout 0 -v ./test/bench -scenarios '$(SCENARIO)' -profile $(if $(QUICK),-quick)

chaos: controlplane ## Random operations and faults against a model: ROUNDS=10, REPLICAS=3 share the members, SEED=… repeats a round that failed
	go test -race -count=1 -timeout 0 -v -run '^TestChaos$$' ./test/chaos -seed $(or $(SEED),0) -rounds $(or $(ROUNDS),10) -replicas $(or $(REPLICAS),1)

fuzz: ## Run every fuzz target in pkg/ for FUZZTIME=30s, one after the other
	hack/tools/fuzz.sh

verify: ## Run every check in hack/verify, or some: hack/verify/all.sh gofmt vet
	hack/verify/all.sh

update: ## Run every script in hack/update: format, tidy, generate
	hack/update/all.sh

clean: ## Remove what was built and written
	rm -rf bin out
