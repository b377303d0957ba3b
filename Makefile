# Everything a newcomer needs. Each target makes its own virtual environment first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
DEMO_ARGS ?=
BENCH_ARGS ?=
TEST_ARGS ?=
SOAK_ARGS ?=

# A name on PATH may be a stub, and a Python may lack venv: each candidate is run, not only found.
CANDIDATES := python3.13 python3.12 python3.11 python3
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
find_python = for name in $(CANDIDATES); do \
	"$$name" -c '$(USABLE)' >/dev/null 2>&1 && echo "$$name" && break; done; true
UV := $(shell command -v uv 2>/dev/null)
no_python := Comptoir needs Python 3.11 or newer with venv (Debian: apt install python3-venv), \
	or uv. Name another interpreter with: make PYTHON=/path/to/python3

ifdef UV
install = $(UV) pip install --quiet --python $(BIN)/python
else
# What is imported is compiled then; to compile all of it takes longer than the rest of the demo.
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
endif
install_itself = $(install) --no-deps --no-build-isolation --editable .

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@if [ -n "$(UV)" ]; then \
		"$(UV)" venv --quiet --allow-existing --python "$(or $(PYTHON),>=3.11)" $(VENV); \
	else \
		python="$(PYTHON)"; \
		[ -n "$$python" ] || python="$$($(find_python))"; \
		[ -n "$$python" ] && "$$python" -c '$(USABLE)' || { echo "$(no_python)" >&2; exit 1; }; \
		"$$python" -m venv $(VENV); \
	fi

# An environment that uv made has no pip, and uv may be gone by now.
define ready_installer
	@[ -n "$(UV)" ] || $(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip
endef

# One environment, two stamps: the development lock holds every pin of the run-time lock.
$(VENV)/.run-time: requirements.lock pyproject.toml | $(BIN)/python
	$(ready_installer)
	$(install) --require-hashes --requirement requirements.lock
	$(install_itself)
	@touch $@

$(VENV)/.development: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(ready_installer)
	$(install) --require-hashes --requirement requirements-dev.lock
	$(install_itself)
	@touch $@ $(VENV)/.run-time

.PHONY: demo
demo: $(VENV)/.run-time ## watch buyers fight over 10 units; DEMO_ARGS="--headless --json" for scripts
	$(BIN)/comptoir demo $(DEMO_ARGS)

# Watching every line costs minutes: here its own tests must take each of the ledger's, and the rest
# run unwatched; `make coverage` watches all.
.PHONY: test
test: export COVERED = src/comptoir/ledger
test: $(VENV)/.development ## run every test and check but the long ones; the ledger's coverage is gated
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) -q --cov --cov-report= tests/ledger
	$(BIN)/python scripts/coverage_gates.py src/comptoir/ledger/
	$(BIN)/python -m pytest -n $(WORKERS) -q --ignore=tests/ledger $(TEST_ARGS)

.PHONY: coverage
coverage: $(VENV)/.development ## the same, with the coverage of all there is, and all of its gates
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) -q --cov --cov-report= $(TEST_ARGS)
	$(BIN)/python scripts/coverage_gates.py

.PHONY: check
check: $(VENV)/.development ## lint, format, types, import contracts and house rules: a minute, no database
	$(BIN)/python -m pytest -q tests/tidy $(TEST_ARGS)

.PHONY: bench
bench: $(VENV)/.development ## measure the published claims against their peers
	$(BIN)/python -m bench $(BENCH_ARGS)

# The seed is printed, and SEED=... repeats a night.
.PHONY: soak
soak: SEED ?= $(shell date +%s)
soak: export HYPOTHESIS_PROFILE = night
soak: $(VENV)/.development ## run the long repetitions
	@echo "SEED=$(SEED)"
	$(BIN)/python -m pytest -q -m soak --timeout=5400 --randomly-seed=$(SEED) \
		--hypothesis-seed=$(SEED) $(SOAK_ARGS)

.PHONY: docs
docs: $(VENV)/.development ## make the site of docs/ in docs/_build; a warning is an error
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build

.PHONY: fix
fix: $(VENV)/.development ## let ruff repair and format what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	--group build $(if $(UPGRADE),--upgrade)

# uv comes from the development lock itself. UPGRADE=1 takes the newest versions.
.PHONY: lock
lock: $(VENV)/.development ## write both lock files anew after a change of dependencies
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --group dev --all-extras --constraint requirements.lock --output-file requirements-dev.lock

.PHONY: clean
clean: ## remove what make and the tools made; the books in .comptoir stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find src tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
