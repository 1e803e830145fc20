# Needs Python 3.11 or newer and make; everything else is fetched into .venv and node_modules.

PORT ?= 8000
ARGS ?=
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
LAYERS = base local dev node
export PORT

.DEFAULT_GOAL := help
.PHONY: help run test races faults upgrades check fix lock

help: ## Say what each command does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: .venv/local.stamp ## Start everything on this machine (PORT=8000), with a small demo; Ctrl-C stops it
	@exec .venv/bin/python -m migration_tracker.local run

test: check ## Run the checks, then every test on real servers and a real browser (ARGS="-k clock")
	@.venv/bin/python -m migration_tracker.local prepare-tests
	@.venv/bin/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile $(ARGS)

races: .venv/dev.stamp ## Fifty rounds of twenty people doing the same at once; keeps bench/races.json
	@.venv/bin/python -m migration_tracker.local prepare-tests
	@RACE_ROUNDS=50 .venv/bin/python -m pytest tests/tracking/test_everybody_at_once.py $(ARGS)

faults: .venv/dev.stamp ## Ten thousand reminders while everything is killed and broken; keeps bench/faults.json
	@.venv/bin/python -m migration_tracker.local prepare-tests
	@FAULTS=long .venv/bin/python -m pytest tests/faults $(ARGS)

upgrades: .venv/dev.stamp ## A thousand migrations moved to another version of their plan; keeps bench/upgrades.json
	@.venv/bin/python -m migration_tracker.local prepare-tests
	@UPGRADES=long .venv/bin/python -m pytest tests/tracking/test_upgrade_speed.py $(ARGS)

check: .venv/dev.stamp ## Lint, format, types, import layers, missing migrations; changes nothing
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@DJANGO_SETTINGS_MODULE=tests.support.settings .venv/bin/python -W ignore::RuntimeWarning \
		manage.py makemigrations --check --dry-run

fix: .venv/dev.stamp ## Mend what lint and format can mend by themselves
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

lock: .venv/dev.stamp ## Lock requirements/*.in again (ARGS=--upgrade takes newer versions)
	@for layer in $(LAYERS); do .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" $(ARGS) \
		requirements/$$layer.in --output-file requirements/$$layer.txt || exit 1; done

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Migration Tracker needs Python 3.11 or newer, and none was found."; \
		echo "Install it, or name it: make run PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/local.stamp: .venv/bin/python requirements/local.txt
	@echo "Installing what runs the site (a minute the first time)"
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/local.txt
	@touch $@

.venv/dev.stamp: .venv/bin/python requirements/dev.txt
	@echo "Installing what tests and checks the site (a minute the first time)"
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/dev.txt
	@touch $@ .venv/local.stamp
