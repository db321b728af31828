# SPDX-License-Identifier: Apache-2.0
# Copyright the Ballast authors
#
#   make up            a cluster on this machine, with the example shop in it; ARGS='--port-offset 100' adds flags
#   make test          everything CI runs; MODULE=KubeServer tests one target, built with only what it imports
#   make test-release  the binary that `make up` builds, through the tests that start it
#   make check         formatting, lint, and a build in which a warning is an error
#   make conformance   the field's own test cases, whole; SUITE=k8s-roundtrip runs one suite, MODULE one target's
#   make bench         the figures of docs/benchmarks.md; ARGS name one benchmark
#   make fuzz          feeds broken bytes to the parsers; SECONDS_EACH=60 sets how long each
#   make clean         removes what was built, keeps .tools/

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

MODULE ?=
SUITE ?=
ARGS ?=
SECONDS_EACH ?= 60

# What scripts/setup installed comes first; runc, ip and nft live in sbin, which not everybody has on PATH.
export PATH := $(CURDIR)/.tools/bin:$(PATH):/usr/local/sbin:/usr/sbin:/sbin

# Package.swift reads these two: warnings are errors under CI, and MODULE trims it to one target's closure.
as_ci := CI=true
scratch := .build
ifneq ($(MODULE),)
export BALLAST_MODULE := $(MODULE)
scratch := .build/modules/$(MODULE)
endif

# A test that waits for processes holds no core, but hundreds at once would starve each other.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 6
swift_test := swift test --disable-xctest

.PHONY: help up build test test-release check format conformance bench fuzz clean

help:
	@sed -n 's/^#   make/make/p' Makefile

up: build
	@exec .build/release/ballast up --demo $(ARGS)

build:
	@scripts/setup build run
	@echo "building Ballast (the first time takes some minutes)" >&2
	@swift build -c release --product ballast

ifneq ($(MODULE),)
test:
	@scripts/setup
	@$(as_ci) $(swift_test) --scratch-path $(scratch)
else
test:
	@scripts/setup
	@$(as_ci) swift build --build-tests
	@$(as_ci) scripts/test-all
	@if [ -d Examples/shop ]; then swift test --disable-xctest --package-path Examples/shop; fi
endif

# A release binary differs from the one beside the tests by all that the optimiser does.
release_suites := ReleaseSerialTests|ShopSerialTests|KubectlSerialTests

test-release: build
	@scripts/setup
	@$(as_ci) swift build --build-tests
	@$(as_ci) BALLAST_BINARY=$(CURDIR)/.build/release/ballast $(swift_test) --skip-build \
		--filter '^ProcessesTests\.($(release_suites))/'

check:
	@scripts/setup build
	@swift format lint --strict --parallel --recursive $$(ls -d Package.swift Sources Tests Benchmarks Examples/*/{Package.swift,Sources,Tests} 2>/dev/null)
	@$(as_ci) swift build --build-tests

format:
	@swift format --in-place --parallel --recursive $$(ls -d Package.swift Sources Tests Benchmarks Examples/*/{Package.swift,Sources,Tests} 2>/dev/null)

conformance:
	@scripts/setup
	@$(as_ci) scripts/conformance $(SUITE)

bench:
	@scripts/setup
	@scripts/bench $(ARGS)

fuzz:
	@scripts/setup build
	@scripts/fuzz $(SECONDS_EACH)

clean:
	@rm -rf .build .build-* Examples/*/.build
