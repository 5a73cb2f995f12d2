# One command each; `make` alone lists them. Set-up happens by itself, once for each change of requirements/ and of the
# Python that is named (make test PYTHON=/usr/bin/python3).
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Processes, two for each core; one that is through takes tests from the one that has most left, so that no long
# file is waited for. One that crashes ends the run; with another in its place, pytest-xdist 3.8 waits for ever. What is
# skipped is said, with the reason.
PYTEST := -m pytest -q -rsfE -n auto --dist worksteal --max-worker-restart=0

.DEFAULT_GOAL := help
MINUTES ?= 60
.PHONY: help run test test-newest test-long test-servers coverage check bench gallery pictures demonstration translations docs deps lock wheel package package-test fresh-test package-bench clean
export PYTHONUTF8 := 1
# A run starts hundreds of processes; without byte code on the disk each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: ## set up what is missing and open ChatDesk (ARGS="--data-dir /tmp/try")
	@$(PYTHON) packaging/set_up.py run
	@$(BIN)/python -P -m chatdesk $(ARGS)

test: ## set up what is missing and run every test (ARGS="-k settings", ARGS="-n 0" for one process)
	@$(PYTHON) packaging/set_up.py test
	@QT_QPA_PLATFORM=offscreen $(BIN)/python $(PYTEST) $(ARGS)

test-newest: ## run the tests of core on the newest Python that is here, where that is not the one of .venv
	@$(PYTHON) packaging/set_up.py test --newest
	@if [ -x .venv-newest/bin/python ]; then QT_QPA_PLATFORM=offscreen .venv-newest/bin/python $(PYTEST) tests/core $(ARGS); fi

test-long: ## play with new seeds for as long as it is told (MINUTES=60); prints how to repeat what it finds
	@$(PYTHON) packaging/set_up.py test
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.long --minutes $(MINUTES) $(ARGS)

coverage: ## run every test and print what they reach, child processes included; fails below 85 %, of core below 90 %
	@$(PYTHON) packaging/set_up.py test
	@$(BIN)/python -m coverage erase
	-@QT_QPA_PLATFORM=offscreen $(BIN)/python -m coverage run $(PYTEST) $(ARGS)
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report --include="chatdesk/core/*" --fail-under=90
	@$(BIN)/python -m coverage report

test-servers: ## install servers and programs that others wrote and test with them, on loopback (.tools, large)
	@$(PYTHON) packaging/set_up.py test
	@$(PYTHON) packaging/servers.py
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -rs -m live_local $(ARGS)

check: ## lint, format, types, floors, migrations, spelling
	@$(PYTHON) packaging/set_up.py test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -p no:randomly tests/core/storage/engine/test_schema_upgrade.py -k "models or known_versions"
	$(BIN)/python -m pytest -q -p no:randomly tests/service/test_openapi.py -k repository
	$(BIN)/codespell
	@$(BIN)/python packaging/translations.py count

bench: ## measure; prints a table and writes build/bench.json
	@$(PYTHON) packaging/set_up.py test
	@$(BIN)/python -m tests.benchmarks $(ARGS)

gallery: ## draw every widget, light and dark, into build/gallery (ARGS="--mockups FOLDER": beside mockups; "--language de"; "--before COMMIT": the steps of the design beside those of a commit)
	@$(PYTHON) packaging/set_up.py test
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.gallery --out build/gallery $(ARGS)

pictures: ## draw the window for README.md and docs/ again, light and dark, into docs/pictures
	@$(PYTHON) packaging/set_up.py test
	@TZ=UTC QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.gallery --pictures docs/pictures

demonstration: ## play ChatDesk and record it for README.md and docs/, light and dark, into docs/pictures
	@$(PYTHON) packaging/set_up.py test
	@TZ=UTC LANG=C.UTF-8 $(BIN)/python -m tests.gallery.demonstration --out docs/pictures

translations: ## read every sentence out of the source into resources/translations, and compile what is translated
	@$(PYTHON) packaging/set_up.py test
	@$(BIN)/python packaging/translations.py update

docs: ## build the pages for people into build/site; needs no network
	@$(PYTHON) packaging/set_up.py test
	@$(BIN)/python packaging/build_site.py $(ARGS)

deps: ## install or print the system libraries that Qt and the tests need
	@$(PYTHON) packaging/system_libraries.py --for test

lock: ## write requirements/*.txt again from pyproject.toml
	@$(PYTHON) packaging/lock.py $(ARGS)

wheel: ## build dist/*.whl with migrations, resources and token encodings inside
	@$(PYTHON) packaging/set_up.py test
	@$(BIN)/python -m hatchling build -t wheel

package: ## build the .deb, the .run and the apt repository into build/package (ARGS="build deb")
	@$(PYTHON) packaging/package.py $(ARGS)

package-test: ## use the packages in a fresh Debian 12 without Python, as a plain user (root)
	@$(PYTHON) packaging/try_package.py $(ARGS)

fresh-test: ## follow README and CONTRIBUTING on a bare Debian 12 and 13, as root and as a plain user (root; ARGS="13 user test")
	@$(PYTHON) packaging/try_fresh.py $(ARGS)

package-bench: ## measure the start of the packaged program against the checkout and a bare packaged window
	@$(PYTHON) packaging/measure_start.py $(ARGS)

clean: ## remove what was made, but for your data
	rm -rf .venv .venv-newest .tools build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache .coverage
	find chatdesk migrations tests packaging -name __pycache__ -type d -prune -exec rm -rf {} +
