# Every target does the set-up it needs on a machine with Python 3.11 or newer and its venv module.
# Another interpreter: make test PYTHON=/path/to/python3. Another place: make test VENV=/tmp/venv.

VENV ?= .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base-installed
WEB := $(VENV)/.web-installed
DEV := $(VENV)/.dev-installed

ifndef PYTHON
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
endif

.PHONY: help demo serve test check bench release clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    karyotype a synthetic case and say where to look'
	@echo 'make serve   the workstation at http://127.0.0.1:8080, with a demo laboratory where there is none'
	@echo 'make test    the test suite; with CONSILIUM_DATA set, the real-data tests too'
	@echo 'make check   style, formatting, types, floors'
	@echo 'make bench   measure again every figure that is quoted'
	@echo 'make release the wheel, pinned hashes, SBOM and sums, in dist/'
	@echo 'make clean   remove what the other targets made'

demo: $(BASE)
	$(BIN)/consilium demo --out demo

serve: $(WEB)
	$(BIN)/consilium serve

test: $(DEV)
	$(BIN)/python -m pytest

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV)
	$(BIN)/python -m benchmarks

release: $(DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[release]'
	$(BIN)/python -m release dist

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find $(wildcard src tests benchmarks training) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[pdf]'
	@touch $@

$(WEB): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[web]'
	@touch $(BASE) $@

# The base comes with it, so that `make demo` or `make serve` after `make test` has nothing left to do.
$(DEV): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(BASE) $(WEB) $@

$(BIN)/python:
	@if [ -z '$(PYTHON)' ]; then \
		echo 'Python 3.11 or newer is needed. On Debian 12+ or Ubuntu 24.04+: apt-get install python3 python3-venv' >&2; \
		exit 1; \
	fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "$(PYTHON) has no venv module. On Debian or Ubuntu: apt-get install python$$version-venv" >&2; \
		exit 1; \
	fi
	$(PYTHON) -m venv $(VENV)
