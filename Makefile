# Everything there is to do with this project; `make help` lists it. Needs Python 3.11 or newer, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STACK := $(BIN)/python -m ehrconnector.stack
PACKAGES := ehrconnector reports sandbox launch hl7intake sms writeback meetings visits config_portal accounts epic core benchmarks
TEST_PROCESSES ?= auto
TEST_ARGS ?=
BENCH ?=
ARGS ?=

# A stamp carries the digest of what was installed, so that only a changed file installs anything.
digest = $(shell cat $(1) 2>/dev/null | cksum | tr -d ' ')
UV := $(VENV)/.uv-$(call digest,requirements-uv.txt)
RUNTIME := $(VENV)/.runtime-$(call digest,requirements.txt)
DEVELOPMENT := $(VENV)/.development-$(call digest,requirements.txt requirements-dev.txt)
UV_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement

.PHONY: help
help: ## list what there is to do
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(DEVELOPMENT) ## create .venv and install everything, tests and checks included

.PHONY: run
run: $(RUNTIME) ## serve the product alone, configured by environment variables or .env
	@$(STACK) run

.PHONY: demo
demo: $(RUNTIME) ## run everything with a sandbox hospital and play one visit (ARGS=--once: then stop)
	@$(STACK) demo $(ARGS)

.PHONY: test
test: $(DEVELOPMENT) browser ## run all tests in parallel on real PostgreSQL and Redis (TEST_ARGS="-k word")
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --maxprocesses 4 --dist loadgroup $(TEST_ARGS)

.PHONY: e2e
e2e: $(DEVELOPMENT) browser ## run the tests in a real browser
	@$(BIN)/python -m pytest tests/e2e $(TEST_ARGS)

.PHONY: chaos
chaos: $(DEVELOPMENT) ## run the tests that break servers and processes on purpose
	@$(BIN)/python -m pytest -m chaos $(TEST_ARGS)

.PHONY: check
check: lint types ## lint, types, import layers, missing migrations, deployment checks
	@$(BIN)/lint-imports
	@$(BIN)/python -m ehrconnector.stack.checks

.PHONY: lint
lint: $(DEVELOPMENT) ## look for mistakes in code and templates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djlint . --check --lint --quiet

.PHONY: types
types: $(DEVELOPMENT) ## check types (mypy, strict)
	@$(BIN)/mypy $(PACKAGES)

.PHONY: format
format: $(DEVELOPMENT) ## put code and templates into their standard form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(BIN)/djlint . --reformat --quiet

.PHONY: bench
bench: $(DEVELOPMENT) ## measure (BENCH=name: one benchmark); exit 1 if a target is missed
	@$(STACK) bench $(BENCH)

.PHONY: lock
lock: $(UV) ## pin the newest versions the .in files allow
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements-dev.in -c requirements.txt -o requirements-dev.txt

.PHONY: browser
browser:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { [ ! -x /usr/bin/chromium ] || ! command -v socat >/dev/null || [ ! -x /usr/sbin/nginx ]; }; then \
	  echo "Installing Debian's chromium for the browser tests, socat and nginx for the HL7 recipes ..."; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium socat nginx-light; } >/dev/null 2>&1 \
	    || echo "chromium, socat and nginx could not be installed."; \
	fi
	@[ -x /usr/bin/chromium ] || echo "No /usr/bin/chromium: as root, run apt-get install chromium; the browser tests need it."

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "Python cannot create environments here. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(UV): | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-uv.txt
	@rm -f $(VENV)/.uv-* && touch $@

$(RUNTIME): $(UV)
	@echo "Installing what the connector runs on ..."
	@$(UV_INSTALL) requirements.txt
	@rm -f $(VENV)/.runtime-* && touch $@

# Everything the product runs on is in this file too, at the same versions.
$(DEVELOPMENT): $(UV)
	@echo "Installing what tests and checks need ..."
	@$(UV_INSTALL) requirements-dev.txt
	@rm -f $(VENV)/.development-* $(VENV)/.runtime-* && touch $@ $(RUNTIME)
