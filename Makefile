# What to type: `make run` starts the app, `make test` runs every test, `make help` lists the rest.

SHELL := /bin/sh
VENV ?= .venv
PORT ?= 8501
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input install -qq
CODE := $(wildcard app.py pages valar_ui tests benchmarks)
# Two workers on two cores; more than four browsers at a time gain nothing.
PYTEST_ARGS ?= -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help run test check format lint types walls fresh torture bench clean setup browser

help: ## list the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/run.stamp ## start the app at http://localhost:8501
	@exec $(PY) -m streamlit run app.py --server.port $(PORT)

setup: $(VENV)/dev.stamp ## install what developing needs

test: $(VENV)/dev.stamp browser ## run every test, in a real browser too
	$(PY) -m pytest $(PYTEST_ARGS)

check: format lint types fresh test ## formatting, lint, types, a fresh start, every test

format: $(VENV)/dev.stamp ## is the code formatted?
	$(PY) -m ruff format --check $(CODE)

lint: $(VENV)/dev.stamp ## does the linter object?
	$(PY) -m ruff check $(CODE)

types: $(VENV)/dev.stamp ## do the types agree, strictly?
	$(PY) -m mypy $(CODE)

walls: $(VENV)/dev.stamp ## does every module import only what it may?
	$(PY) -m pytest -q tests/test_walls.py

fresh: $(VENV)/dev.stamp browser ## `make run` in a new copy, with nothing but requirements.txt
	$(PY) -m tests.e2e.fresh

torture: $(VENV)/dev.stamp ## kill and fault the sending until something gives; ARGS="--help"
	$(PY) -m tests.torture $(ARGS)

bench: $(VENV)/dev.stamp ## measure, beside the obvious way
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(PY) -m "benchmarks.$$(basename "$$file" .py)" $(ARGS); done

browser: $(VENV)/dev.stamp
	@$(PY) -m tests.e2e.browser

clean: ## remove what the commands above made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis test-artifacts
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements.txt
	@sh .ci/venv $(VENV)
	@echo "Installing what the app needs (once, about a minute) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt
	@sh .ci/venv $(VENV)
	@echo "Installing what developing needs (once, about a minute) …"
	@$(PIP) -r requirements-dev.txt
	@touch $(VENV)/run.stamp $@
