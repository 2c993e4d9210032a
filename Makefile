# dicom-prearchive: `make` lists the targets. Needs Python 3.11 or newer with venv, and git; nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that is new enough; `make PYTHON=/path/to/python3.12 demo` chooses another one.
PYTHON ?= $(shell for candidate in python3 python3.11 python3.12 python3.13; do \
	"$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$candidate" && break; done)
# The folder of `make serve` and of `make demo`.
SITE ?= site
DEMO ?= demo
# Test processes; and whether root may install DCMTK's command line tools and strace by apt.
JOBS ?= 2
DCMTK ?= yes

# Tests and demo start many processes, which would each compile our modules again.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready
PACKAGES := anon prearchive receiver config cli
CHECKED := $(PACKAGES) tests tools deploy
MEASURED := anon prearchive receiver

.PHONY: help
help: ## list the targets
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z-]*\):.*## /  \1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(READY) ## make .venv with everything in its locked version

# The lock names a hash for every file that is installed and is complete, so nothing is resolved: older pips would otherwise look
# for a newer `coverage[toml]` than the locked coverage. The project itself is built from this folder.
$(READY): requirements/dev.txt pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer with venv is needed (on Debian and Ubuntu: apt install python3 python3-venv)" >&2; \
		exit 1; fi
	@echo "Making .venv (only when the locked versions changed; this can take a minute)"
	@[ -x $(BIN)/python ] || "$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check --disable-pip-version-check >/dev/null
	@touch $(READY)

# A real DICOM sender and a tracer make the tests and the demo better; without them tests are skipped and say why.
.PHONY: peers
peers:
	@if command -v storescu >/dev/null && command -v strace >/dev/null; then exit 0; fi; \
	if [ "$(DCMTK)" = yes ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing DCMTK's tools and strace by apt (make DCMTK=no leaves that out)"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends dcmtk strace; } \
			</dev/null >/dev/null 2>&1 || echo "That failed; going on without them"; \
	else echo "DCMTK's storescu or strace is missing; going on without"; fi

.PHONY: demo
demo: $(READY) peers ## walk through receive, review and archive in the folder demo/
	@$(BIN)/python tools/demo.py --folder "$(DEMO)"

.PHONY: serve
serve: $(READY) ## run the receiver with the site folder site/ (made if missing)
	@[ -f "$(SITE)/prearc.toml" ] || $(BIN)/prearc init "$(SITE)"
	@exec $(BIN)/prearc --config "$(SITE)" serve

.PHONY: lint
lint: $(READY) ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CHECKED)
	$(BIN)/lint-imports

QUICK = $(BIN)/pytest -n $(JOBS) --dist worksteal -q -ra

.PHONY: test
test: lint peers ## lint, then the quick tests with coverage
	@failed=0; set -x; \
		$(QUICK) -m "not slow and not repeats" --durations=10 --cov --cov-report= || failed=1; \
		$(QUICK) -m "not slow and repeats" || failed=1; exit $$failed
	@failed=0; for package in $(MEASURED); do echo "Branch coverage of $$package:"; \
		$(BIN)/coverage report --include="$$package/*" --fail-under=90 || failed=1; done; exit $$failed

.PHONY: test-slow
test-slow: $(READY) peers ## the long campaigns: kill -9, traces, fuzzing, fresh installation
	$(BIN)/pytest -m slow -q -ra --durations=10

.PHONY: format
format: $(READY) ## let ruff put the sources in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lock
lock: ## renew the locked versions in requirements/
	@rm -rf .lock && "$(PYTHON)" -m venv .lock && .lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@for name in dev runtime; do \
		extra=(--extra dev); [ $$name = dev ] || extra=(--constraint requirements/dev.txt); \
		.lock/bin/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-header \
			--no-annotate --no-emit-index-url --no-emit-find-links "$${extra[@]}" -o requirements/$$name.txt pyproject.toml; done
	@rm -rf .lock

.PHONY: clean
clean: ## remove .venv and what tools leave behind; site/ and demo/ stay
	rm -rf .venv .lock build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -type d -not -path './site/*' -not -path './demo/*' -prune -exec rm -rf {} +
