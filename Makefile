# Everything a newcomer needs. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build web demo test check format fuzz sanitize sbom setup setup-tests test-swift test-python test-web clean

UV := $(CURDIR)/.tools/uv/bin/uv
PROGRAM := $(CURDIR)/.build/release/aloft
export UV_PYTHON_DOWNLOADS := never

help: ## Show what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what building and running need (idempotent)
	@scripts/setup run

setup-tests: setup ## Install what the tests need as well (idempotent)
	@scripts/setup tests

web: setup ## Bundle the web interface into web/dist (quick when nothing changed)
	@web/build

build: setup web ## Build the program: .build/release/aloft
	@echo "Building the release program (the first time takes some ten minutes on two cores)."
	swift build -c release --product aloft

demo: build ## Fly the flight-delay example from data to production; EXIT=1 ends afterwards
	@python3 examples/flights/fly.py --program $(PROGRAM) --data .demo \
		$(if $(EXIT),--exit) $(if $(KILL),--kill)

test: setup-tests web test-web test-swift test-python ## Run every test of the project

test-swift:
	swift test --parallel

test-web: ## Run the unit tests of the web sources (seconds)
	@web/test

test-python:
	.venv/bin/python -m pytest tests python/tests -q -n 3 --dist loadfile

check: setup-tests ## Format, lint and layer rules
	swift format lint --strict --parallel --recursive Package.swift Sources Tests
	scripts/check-layers
	scripts/check-size
	scripts/check-circles
	scripts/check-sleeps
	scripts/check-text
	scripts/check-sql
	scripts/check-unit
	scripts/check-traps
	scripts/check-docs
	scripts/check-words
	swift build --build-tests --explicit-target-dependency-import-check error
	.venv/bin/ruff check python tests examples bench web/build web/lint web/make-types web/screens web/test
	.venv/bin/ruff format --check python tests examples bench web/build web/lint web/make-types web/screens web/test
	.venv/bin/mypy --config-file python/pyproject.toml python/aloft_models
	tsc --project web
	web/lint

format: setup-tests ## Put all sources into the house style
	swift format --in-place --parallel --recursive Package.swift Sources Tests
	.venv/bin/ruff check --fix python tests examples bench web/build web/lint web/make-types web/screens web/test
	.venv/bin/ruff format python tests examples bench web/build web/lint web/make-types web/screens web/test

SECONDS_EACH ?= 600
fuzz: build setup-tests ## Mutated bytes for the readers, mutated requests for both planes, an hour and more (SECONDS_EACH=600)
	bench/fuzz/readers/run $(SECONDS_EACH)
	bench/fuzz/run --program $(PROGRAM) --seconds $(SECONDS_EACH) --seed $$RANDOM

sanitize: setup-tests ## Run the Swift tests under the thread and the address sanitizer, an hour (nightly)
	scripts/sanitize thread address

sbom: setup ## Write the bill of materials (SPDX) to .build/sbom/aloft.spdx.json
	@scripts/sbom

clean: ## Remove build outputs, tools and the demo's data
	rm -rf web/dist .build .build-tsan .build-asan .tools .runtime .venv .demo
