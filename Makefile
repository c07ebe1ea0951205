# Each target makes the environment it needs; with nothing changed that costs nothing.
# PYTHON may name another interpreter: make setup PYTHON=python3.13

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
# The tests start a hundred processes of ours; each would compile every module again where this is set.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
KILLS ?= 1000
SECONDS ?= 3600
SEED ?= 1
STORE ?= embedded
# Each has a database of its own, whose Java begins cold: on two cores six workers take 1.4 of the CPU time of four; three wait for one another.
TEST_WORKERS ?= 4
# What starts processes waits for them.
PROCESS_WORKERS ?= 6
# Each Neo4j plans every statement for itself: three take 1.4 of the CPU time of two.
NEO4J_WORKERS ?= 2
BIN := .venv/bin
RUN := .venv/run.stamp
DEV := .venv/dev.stamp
WARM := .venv/warm.stamp
PIP := $(BIN)/uv pip install --quiet --python $(BIN)/python
PYTEST := $(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadscope --no-loadscope-reorder
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11

.PHONY: help setup test test-processes test-neo4j test-all lint types arrows format bench chaos attack broken proof demo lock schema docs audit kit random clean

AUDIT_PORT ?= 4200
GATEWAY_PORT ?= 4300

help:
	@echo "make demo     see it: a network, a gateway, seven other systems, a card that fails and who learns what, a customer who books"
	@echo "make setup    make the environment in .venv"
	@echo "make test     run the tests on the embedded database, TEST_WORKERS=4 side by side; the seed is printed"
	@echo "make test-processes  those that start processes of ours: the demo, kills, what is served, the examples in three languages"
	@echo "make test-neo4j  what touches a store, on a real Neo4j (Java 17 and Maven); make test-all: both, nothing sampled"
	@echo "make lint     ruff, formatting, import arrows; make types: mypy; make format: put it right"
	@echo "make chaos    kill processes while alarms flow, and look whether anything was lost: KILLS=1000 SEED=1 STORE=embedded"
	@echo "make attack   do the worst that a customer's token can, and look what another customer notices: SECONDS=3600 STORE=embedded"
	@echo "make broken   break what must never break, one thing at a time, and look whether the tests notice"
	@echo "make proof    show what is said on real systems, from Debian's packages, as root: PROOF=request-tracker for one"
	@echo "make bench    measure reads beside three references, alarms with all that follows, and subscriptions"
	@echo "make audit AUDIT=DIR  run the federation gateway audit, whose checkout is DIR, against trunkline gateway"
	@echo "make kit KIT=DIR      run TM Forum's conformance kit for TMF642, whose directory is DIR, against a gateway: docs/proofs.md"
	@echo "make random   ten thousand random operations on random supergraphs; make test runs some hundreds"
	@echo "make arrows   each folder with its modules and the folders that it imports"
	@echo "make lock     pin the requirements anew; make schema, make docs: write what is derived"
	@echo "make clean    remove everything that these have made"

setup: $(DEV)

demo: $(RUN)
	@exec $(BIN)/trunkline demo

test: $(WARM)
	$(PYTEST) -m "not process"

test-processes: $(WARM)
	$(PYTEST) --numprocesses $(PROCESS_WORKERS) -m process

test-neo4j: $(WARM)
	TRUNKLINE_TEST_STORE=neo4j $(PYTEST) --numprocesses $(NEO4J_WORKERS) -m "store and not process"

test-all: $(WARM)
	TRUNKLINE_TEST_STORE=embedded $(PYTEST) --full
	TRUNKLINE_TEST_STORE=neo4j $(PYTEST) --numprocesses $(NEO4J_WORKERS) --full -m store

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(DEV)
	$(BIN)/mypy

bench: $(DEV)
	$(BIN)/python -m benchmarks reads
	$(BIN)/python -m benchmarks alarms
	$(BIN)/python -m benchmarks streams

chaos: $(DEV)
	$(BIN)/python -m tests.faults --kills $(KILLS) --seed $(SEED) --store $(STORE)

attack: $(DEV)
	$(BIN)/python -m tests.attack --seconds $(SECONDS) --store $(STORE)

broken: $(DEV)
	$(BIN)/python -m tests.broken

proof: $(DEV)
	$(BIN)/python -m tests.proofs $(PROOF)

audit: $(RUN)
	@test -d "$(AUDIT)/node_modules/tsx" || \
	  { echo "AUDIT must name a checkout of graphql-hive/federation-gateway-audit with its packages: docs/federation.md" >&2; exit 1; }
	@mkdir -p .cache/audit
	cd "$(AUDIT)" && AUDIT_PORT=$(AUDIT_PORT) GATEWAY_PORT=$(GATEWAY_PORT) \
	  NODE_OPTIONS="--require $(CURDIR)/tests/audit/with-resolvers.cjs" \
	  node_modules/.bin/tsx src/cli.ts test --exit-on-fail --port $(AUDIT_PORT) --cwd "$(CURDIR)/.cache/audit" \
	  --run-script "$(CURDIR)/tests/audit/run.sh" --graphql http://127.0.0.1:$(GATEWAY_PORT)/graphql \
	  --healthcheck http://127.0.0.1:$(GATEWAY_PORT)/livez

kit: $(DEV)
	@test -n "$(KIT)" || { echo "KIT must name the directory of the kit: docs/proofs.md" >&2; exit 1; }
	$(BIN)/python -m tests.kit "$(KIT)"

random: $(DEV)
	RANDOM_OPERATIONS=10000 $(BIN)/python -m pytest tests/gateway/federation/planning/test_random.py -q --timeout 0

lock: $(RUN)
	$(LOCK) requirements/uv.in -o requirements/uv.txt
	$(LOCK) pyproject.toml requirements/run.in -o requirements/run.txt
	$(LOCK) pyproject.toml requirements/dev.in -c requirements/run.txt -o requirements/dev.txt

arrows: $(DEV)
	@$(BIN)/python -m tests.arrows

schema: $(RUN)
	$(BIN)/python -m resolvers.composition
	$(BIN)/trunkline schema > schema.graphql

docs: $(DEV)
	$(BIN)/python -m graph.model.drawing docs/model.md
	$(BIN)/python -m tests.arrows docs/rooms.md
	$(BIN)/trunkline asyncapi > docs/asyncapi.json

clean:
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What each worker, and each database that the tests start, would else do again: compile the modules, read Java's classes.
$(WARM): $(DEV)
	@$(BIN)/python -m pytest --collect-only --quiet >.venv/warm.log 2>&1 & \
	  $(BIN)/python -m tests.servers.archive .cache/embedded.aot; wait
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Trunkline needs Python 3.11 or newer, and '$(PYTHON)' is not: make setup PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "'$(PYTHON)' has no venv: install it (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN): requirements/uv.txt requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
