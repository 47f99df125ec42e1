# Every target works on a fresh clone. `make test` is what CI runs.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
LAB := testdata/lab/lab
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s
SOAK ?= 30m
HANDOVERS ?= 60

.PHONY: build dist dist-test vuln test unit race crash lab-test lab-selftest lint fuzz bench soak demo golden reference shots lab-up lab-down help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## the program, as ./pgtui
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o pgtui ./cmd/pgtui

dist: ## binaries, archives, deb and rpm, into dist/; the same bytes wherever and whenever a commit is built
	./packaging/dist

dist-test: ## two builds compared; the packages on bare Debian 12 and 13 roots, rpm, arm64 (root, Debian 12)
	./packaging/test

vuln: ## known vulnerabilities in what the program calls; VULNDB=file:///DIR is a database without a network
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 $(if $(VULNDB),-db $(VULNDB)) ./cmd/pgtui || \
	  { echo "make vuln: not checked, or something was found: see above. The database is https://vuln.go.dev; VULNDB=file:///DIR is another one" >&2; exit 1; }

test: ## installs what the tests need (root, Debian 12) and runs them all
	./testdata/run-tests

unit: ## everything that needs no installation: unit tests, golden frames, layers; smaller samples than make test
	go vet ./...
	go test -short -v ./... | grep -vE '^(===|[[:space:]]*--- PASS|PASS)' # names what is skipped because a component is missing

race: ## the same under the race detector
	go test -race ./...

crash: ## power cuts at every command of a run, on ext4 and xfs (root, loop devices)
	PGTUI_CRASH=all go test -tags crash -run '^TestCrash' -count=1 -timeout 3h ./apply

lab-test: lab-up ## against real Patroni, HAProxy, PostgreSQL and sshd
	$(LAB) hold go test -tags lab -run '^TestLab' -count=1 -p 1 ./...
	$(LAB) hold $(LAB) reset

lab-selftest: lab-up ## checks the lab against its README
	testdata/lab/selftest quick

lint: ## golangci-lint, pinned
	go run $(GOLANGCI) run

fuzz: ## every fuzz target, FUZZTIME each
	./testdata/run-fuzz $(FUZZTIME)

bench: ## benchmarks, and the figures of docs/measured.md through a terminal
	go test -run '^$$' -bench . -benchmem ./...
	./testdata/measure

soak: ## random faults while clients connect; the board must show the truth; then HANDOVERS changes of the leader, and actions under faults and clients. SOAK is the time for each generation, SEED=n repeats a run
	set -e; for release in bookworm trixie; do \
	  $(LAB) down; LAB_RELEASE=$$release $(LAB) up; \
	  $(LAB) hold go run ./internal/soak/run -lab $(LAB) -for $(SOAK) $(if $(SEED),-seed $(SEED)); \
	  $(LAB) hold go run ./internal/soak/run -lab $(LAB) -handovers $(HANDOVERS) -release $$release $(if $(SEED),-seed $(SEED)); \
	  $(LAB) hold env PGTUI_FAULTS=all PGTUI_LONG=1 go test -tags lab -run '^TestLab(ActionFaults|Ready|PatroniConfig|ReinitDiverged|MaintenanceOfTheLeader)$$' -count=1 -timeout 60m -v ./cmd; \
	  $(LAB) hold go test -tags lab -run '^TestLabSandboxSame$$' -count=1 ./internal/soak; \
	done

demo: ## the console on the embedded sandbox
	go run ./cmd/pgtui demo

golden: ## writes the golden frames; review the diff as you would a screen
	go test ./tui -update

reference: ## writes docs/schema and docs/reference from the code
	go run ./internal/reference

shots: ## writes the pictures of docs/shots, from the real program on the sandbox
	go run ./internal/shots

lab-up: ## start the four-node lab (LAB_RELEASE=trixie for the newer generation)
	$(LAB) up

lab-down: ## stop it and leave nothing behind
	$(LAB) down
