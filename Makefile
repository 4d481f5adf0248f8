# The only developer door. `make` prints help.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/company-assistant
# Where Python may not keep what it compiled, every start compiles all packages anew: seconds each. Then it is done here, once.
COMPILED := $(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode)
# Seconds for one file; uv's own 60 would end the installation on a machine that is busy.
export UV_COMPILE_BYTECODE_TIMEOUT := 600
# A file of a package means: installed from these exact pins.
INSTALLED := $(VENV)/installed.stamp
INSTALLED_DEV := $(VENV)/installed-dev.stamp

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-long test-live measure-live check bench quality limits capacity pictures lock docs bundle clean install install-dev

help: ## print this help
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: $(INSTALLED) ## the whole product on this machine; PORT= DOCS= ANSWERS=ollama|embedded|quotes
	@PORT="$(PORT)" DOCS="$(DOCS)" ANSWERS="$(ANSWERS)" exec $(BIN)/assistant up --demo

test: $(INSTALLED_DEV) ## every quick test that needs no GPU, no Docker and no model download
	@scripts/install-apt.sh
	@$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not long and not live" $(ARGS)

test-slow: $(INSTALLED_DEV) ## the slow ones: whole deployments, browsers, killed processes
	@scripts/install-apt.sh
	@$(BIN)/pytest -n 2 --dist loadfile -m "slow and not long and not live" $(ARGS)

test-long: $(INSTALLED_DEV) ## what takes minutes: fifty kills in an ingestion, every naughty text, real clients; LONG=folders
	@scripts/install-apt.sh
	@$(BIN)/pytest -m long -p no:xdist -s $(ARGS) $(or $(LONG),tests/journeys tests/api tests/compose tests/clients)

test-live: $(INSTALLED_DEV) ## the journeys against a real Ollama 0.17.7 and a real small model
	@scripts/install-apt.sh
	@scripts/build_ollama.sh >/dev/null
	@$(BIN)/pytest -m "live and not long" -p no:xdist $(ARGS) tests/live tests/contracts

measure-live: $(INSTALLED_DEV) ## injected documents and releases with the real small model; an hour
	@scripts/install-apt.sh
	@scripts/build_ollama.sh >/dev/null
	@$(BIN)/pytest -m "live and long" -p no:xdist -s $(ARGS) tests/live

check: $(INSTALLED_DEV) ## lint, types, import contracts, duplicates, freshness of generated docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pylint --disable=all --enable=duplicate-code --min-similarity-lines=8 \
	  --ignore-comments=y --ignore-docstrings=y --ignore-imports=y --ignore-signatures=y assistant ingest api ui
	@$(BIN)/python scripts/write_reference.py --check

docs: $(INSTALLED_DEV) ## write docs/reference/ and .env.example anew
	@$(BIN)/python scripts/write_reference.py

bench: $(INSTALLED_DEV) ## benchmarks, one JSON line each
	@for file in benchmarks/bench_*.py; do PYTHONPATH=. $(BIN)/python $$file; done

quality: $(INSTALLED_DEV) ## what is found on public sets, into docs/reference/quality.*; DATA=folder WORK=folder SETS=names
	@$(BIN)/python scripts/write_quality.py --data "$(or $(DATA),../shared/data)" \
	  --work "$(or $(WORK),var/quality)" $(if $(SETS),--sets "$(SETS)")
	@$(BIN)/python scripts/write_reference.py

limits: $(INSTALLED_DEV) ## load and fairness on this machine, into docs/reference/limits.*; ONLY=streams,screen,fairness,fairness_of_200,told_wait,hang_up,attacks,existence,tests
	@$(BIN)/python scripts/write_limits.py $(if $(ONLY),--only "$(ONLY)")
	@$(BIN)/python scripts/write_reference.py

capacity: $(INSTALLED_DEV) ## what models take on a real Ollama, beside what is reckoned, into docs/reference/capacity.*
	@scripts/install-apt.sh
	@scripts/build_ollama.sh >/dev/null
	@PYTHONPATH=. $(BIN)/python scripts/write_capacity.py
	@$(BIN)/python scripts/write_reference.py

pictures: $(INSTALLED_DEV) ## the pictures of docs/pictures/, taken by the tests that walk the screen
	@scripts/install-apt.sh
	@PICTURES=1 $(BIN)/pytest -m slow -p no:xdist $(ARGS) tests/browser/test_journeys.py

lock: $(VENV)/uv.stamp ## write the pins with hashes anew
	@$(BIN)/uv pip compile --upgrade --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --group dev --all-extras pyproject.toml -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -c requirements-dev.txt --extra mcp pyproject.toml -o requirements.txt
	@for name in langchain-llm llama-index; do \
	  $(BIN)/uv pip compile --upgrade --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header tests/clients/requirements-$$name.in -o tests/clients/requirements-$$name.txt; done

bundle: $(INSTALLED) ## everything for a machine without a network, in dist/bundle; TO=folder ARGS=--without-models
	@$(BIN)/python -m scripts.write_bundle "$(or $(TO),dist/bundle)" $(ARGS)

clean: ## take everything away that the other targets made in this folder and in the cache
	@rm -rf $(VENV) var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf "$(CACHE)"

install: $(INSTALLED) ## the virtual environment for running
install-dev: $(INSTALLED_DEV) ## the virtual environment for developing

$(VENV)/uv.stamp: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "→ apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

$(INSTALLED): requirements.txt pyproject.toml $(VENV)/uv.stamp
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install $(COMPILED) --require-hashes -r requirements.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt pyproject.toml $(VENV)/uv.stamp
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install $(COMPILED) --require-hashes -r requirements-dev.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@ $(INSTALLED)
