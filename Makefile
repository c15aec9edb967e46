# Two commands matter: `make app` and `make test`. Both build what they need first; `make` alone lists the rest.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
HOST ?= localhost
# the first of these that is new enough builds the environment; PYTHON=/path/to/python asks for one
PYTHON ?= python3.11 python3 python3.12 python3.13 python3.14
SHIPPED := $(patsubst checkpoints/%.safetensors,%,$(wildcard checkpoints/*.safetensors))
SOURCES = $(wildcard app.py pages seqmodels tests benchmarks docs)
# handed on to pytest and to train
ARGS ?=
# test files at a time: each worker holds torch, spaCy and the models that its tests load
WORKERS ?= 2

# a stamp is newer than its requirements when nothing is left to install
RUNTIME := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
PIP := $(BIN)/python -m pip --disable-pip-version-check install
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help app test test-all browser lint format screenshots recording checkpoints clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  variables: make app PORT=8600, make test ARGS="-k gru", make checkpoint-pos-gru ARGS="--seed 2", PYTHON=... for a new .venv'

app: $(RUNTIME) ## start the app (PORT=8501), for this machine alone; HOST=0.0.0.0 opens it to others
	@exec $(BIN)/python -m seqmodels app --port $(PORT) --host $(HOST)

# by file, in their order: the browser's, which take longest, are first, and share an app and a browser in each worker
test: lint browser ## the checks of a change: lint, types, import rules, tests with the browser walk
	@$(PYTEST) -m 'not thorough' $(ARGS)

test-all: lint browser ## the same with the tests that take long, before a release or where models or views have changed
	@$(PYTEST) $(ARGS)

# a machine without a Chromium gets playwright's own; where that cannot be fetched, the walk is skipped and says so
browser: $(DEV)
	@$(BIN)/python -c 'import sys; from tests.browser.driver import find_browser; sys.exit(find_browser() is None)' \
	  || $(BIN)/python -m playwright install chromium || echo 'no Chromium: the walk through the app in a browser is skipped'

lint: $(DEV) ## style, types and import rules, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

format: $(DEV) ## put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

checkpoints: $(addprefix checkpoint-,$(SHIPPED)) ## retrain all shipped models; any one: make checkpoint-pos-gru

checkpoint-%: $(RUNTIME)
	$(BIN)/python -m seqmodels train --task $(word 1,$(subst -, ,$*)) --cell $(word 2,$(subst -, ,$*)) --output checkpoints/$*.safetensors $(ARGS)

screenshots: $(DEV) ## the README's pictures, from the running app
	$(BIN)/python -m docs.screenshots

recording: $(RUNTIME) ## the two runs that the Training page shows before there is any other
	$(BIN)/python -m docs.record

clean: ## remove caches and test leftovers; models and runs stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results build dist *.egg-info
	find . \( -name .venv -o -name .git \) -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean ## remove the environment too
	rm -rf $(VENV)

$(BIN)/python:
	@for candidate in $(PYTHON); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$candidate"; \
	    "$$candidate" -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); exit 1; \
	  fi; \
	done; \
	echo "no Python 3.11 or newer among: $(PYTHON). Install one, or name it: make app PYTHON=/path/to/python3" >&2; exit 1

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo 'installing what the app needs (once, some minutes)'
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt requirements-cluster.txt requirements.txt | $(BIN)/python
	@echo 'installing what the app and its tests need (once, some minutes)'
	@$(PIP) -r requirements-dev.txt
	@touch $(RUNTIME) $@
