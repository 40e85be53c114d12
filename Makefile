# Each target works as the first command in a fresh clone; `make` alone lists them.

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check
PACKAGES := jobs graph signatures exporters
SOURCES := $(shell find $(PACKAGES) conf -type f -not -name '*.pyc' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-graph-on-spark test-rest-on-spark test-integration test-units lint docs bench acceptance zip clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.packages $(VENV)/.java $(VENV)/.graphframes ## Make .venv with the actorgraph command, Java and the JVM artifact.

demo: $(VENV)/.packages ## Simulate a week, find its networks and show what was found.
	$(BIN)/actorgraph demo

test: setup ## Run all tests, in four processes side by side: each waits for something at times.
	$(MAKE) --jobs 4 --keep-going \
		test-graph-on-spark test-rest-on-spark test-integration test-units

test-graph-on-spark: setup
	$(BIN)/pytest -m spark tests/graph

test-rest-on-spark: setup
	$(BIN)/pytest -m spark --ignore=tests/graph

test-integration: setup
	$(BIN)/pytest -m "not spark" tests/integration

test-units: setup
	$(BIN)/pytest -m "not spark" --ignore=tests/integration

lint: $(VENV)/.packages ## Check format, style, types, layers and YAML.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict conf signatures
	$(BIN)/python -m jobs.check_signatures check

docs: $(VENV)/.packages ## Write docs/features.md and the signatures' JSON Schema again.
	$(BIN)/python -m jobs.check_signatures features > docs/features.md
	$(BIN)/python -m jobs.check_signatures schema > signatures/signature.schema.json

bench: setup ## Compare speed and memory with other programs.
	$(BIN)/python -m tests.benchmarks.bench_pipeline
	$(BIN)/python -m tests.benchmarks.bench_embedded --links 10000000
	$(BIN)/python -m tests.benchmarks.bench_components --links 10000000 --graphframes
	$(BIN)/python -m tests.benchmarks.bench_label_propagation --links 10000000
	$(BIN)/python -m tests.benchmarks.bench_neo4j --elements 1000000
	$(BIN)/python -m tests.benchmarks.bench_signatures --networks 100000
	$(BIN)/python -m tests.benchmarks.bench_enforcement --accounts 1000000

acceptance: $(VENV)/.packages ## Measure who is found, and who is proposed on the calibrated route.
	$(BIN)/python -m tests.acceptance.found_networks
	$(BIN)/python -m tests.acceptance.named_kinds
	$(BIN)/python -m tests.acceptance.calibrated_route

zip: dist/actorgraph.zip ## Build dist/actorgraph.zip for spark-submit --py-files.

clean: ## Remove everything that was built, and the virtual environment.
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# A wheel given to --py-files never reaches executors; the same file named .zip does.
dist/actorgraph.zip: setup.py pyproject.toml README.md $(SOURCES) | $(VENV)/.packages
	rm -rf build
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheel .
	mkdir -p dist
	cp build/wheel/actorgraph-*.whl $@

$(VENV)/.packages: setup.py
	python=$$(.ci/find_python) && $$python -m venv $(VENV)
	$(PIP_INSTALL) --upgrade pip 'setuptools>=77' wheel
	$(PIP_INSTALL) --editable '.[dev,java]'
	touch $@

$(VENV)/.java: .ci/install_java | $(VENV)/.packages
	.ci/install_java $(BIN)/python
	touch $@

$(VENV)/.graphframes: conf/jvm_artifacts.yaml | $(VENV)/.packages
	$(BIN)/python -m graph.jvm_artifacts
	touch $@
