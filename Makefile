# build run test lint fuzz stress bench bench-rivals bench-growth bench-sync bench-etcd compat compat-cluster faults: each is the command CI runs.

GO        ?= go
export PATH := $(PATH):/usr/local/go/bin
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# Without the msgpack of gin, which nothing here speaks and which is a fifth of the code.
TAGS      := nomsgpack
LDFLAGS   := -s -w -X main.version=$(VERSION)
GOLANGCI  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2
FUZZTIME  ?= 30s
BENCHTIME ?= 1s
BENCHFLAGS ?=

.PHONY: build run test lint fuzz stress bench bench-rivals bench-growth bench-sync bench-etcd compat compat-cluster faults lab

# The binary goes to bin/stator.
build: | go
	CGO_ENABLED=0 $(GO) build -tags $(TAGS) -trimpath -ldflags '$(LDFLAGS)' -o bin/stator ./cmd/stator

# Serves on port 8000 with the data in ./data.
run: build
	./bin/stator serve --port 8000 --data-dir ./data

# All tests. The compatibility suite installs the clients it needs into its own
# directories; a missing runtime skips its client unless CI=true.
test: | go
	$(GO) vet ./...
	$(GO) test -timeout 15m $$($(GO) list ./... | grep -v /compat-tests)
	$(MAKE) compat

# Real AWS SDKs and the AWS CLI against the real binary.
compat: | go
	$(GO) test -count=1 -timeout 20m ./compat-tests/...

# Every client against a cluster, each request through another node.
compat-cluster: | go
	STATOR_COMPAT_CLUSTER=1 $(GO) test -count=1 -timeout 20m -run TestClientsThroughACluster ./compat-tests

# Real nodes in network namespaces of their own, broken in every way of a matrix while clients work; needs root.
FAULT_ROUNDS ?= 1
faults: | go
	STATOR_FAULTS=1 FAULT_ROUNDS=$(FAULT_ROUNDS) $(GO) test -count=1 -timeout 4h -v ./compat-tests/faults

lint: | go
	$(GO) run $(GOLANGCI) run ./...

# Every fuzz target for FUZZTIME.
fuzz: | go
	@set -e; for package in $$($(GO) list ./...); do \
	  listed=$$($(GO) test -list '^Fuzz' $$package); \
	  for target in $$(echo "$$listed" | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
	  done; \
	done

# 100 times kill -9 under write load and during transactions, then the property and model tests with 20
# times as many cases under the race detector.
stress: | go
	STATOR_KILLS=100 $(GO) test -count=1 -timeout 60m -run Kill -v ./cmd/stator
	$(GO) test -race -count=1 -timeout 120m $$(grep -rl pgregory.net/rapid --include='*_test.go' . | xargs -n 1 dirname | sort -u) -rapid.checks=2000

# Every built-in experiment of the laboratory with 100 seeds.
lab: | go
	STATOR_LAB_SEEDS=100 $(GO) test -count=1 -timeout 180m -run Builtins -v ./partition/lab

# Micro benchmarks, the start of the server, then Stator against the limits of the
# machine (gin alone, gin with one Badger transaction a request), in turns.
bench: build
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $$($(GO) list ./... | grep -v /cmd/)
	$(GO) test -run '^$$' -bench Start -benchtime 20x ./cmd/stator
	$(GO) run ./cmd/stator/internal/bench/rivals -stator bin/stator $(BENCHFLAGS)

# The same against the rivals, which are installed into .rivals (npm, pip), and all
# else that has a target, but for growth: 25 minutes. Writes cmd/stator/BENCHMARKS.md.
bench-rivals: build
	$(GO) run ./cmd/stator/internal/bench/rivals -stator bin/stator -install -output cmd/stator/BENCHMARKS.md $(BENCHFLAGS)

# Stator with 10 thousand and with 10 million items: 10 minutes, most of them loading,
# and 10 GB of disk. Writes cmd/stator/BENCHMARKS.md.
bench-growth: build
	$(GO) run ./cmd/stator/internal/bench/rivals -stator bin/stator -growth -output cmd/stator/BENCHMARKS.md $(BENCHFLAGS)

# Writes that survive a power cut, against one fsynced Badger transaction a request.
bench-sync: build
	$(GO) run ./cmd/stator/internal/bench/rivals -stator bin/stator -sync -workloads put,update -connections 64 $(BENCHFLAGS)

# A cluster of three nodes beside three members of etcd (Debian: etcd-server), on this machine and in turns.
bench-etcd: build
	cd cmd/stator/internal/bench/etcd && $(GO) run . -stator $(CURDIR)/bin/stator $(BENCHFLAGS)

.PHONY: go
go:
	@command -v $(GO) >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl/" >&2; exit 1; }
