# `make demo` and `make test` need only Python 3.11+ and make: each sets up .venv on first use.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# All classical methods, and three that learn from tags or labels: five minutes on two cores.
DEMO_METHODS := lsh pcah itq sh sph agh agh2 dgh dsh selve wdht wsdhq deep-dsh

FAST_TESTS := $(addprefix tests/,protocol significance store registry methods/algebra \
	methods/unsupervised reporting/test_tables.py reporting/test_marks.py test_layers.py test_digests.py)

.PHONY: demo test test-fast coverage reliability lint format clean

demo: $(VENV)/.installed
	$(BIN)/python run_benchmark.py --dataset demo --methods $(DEMO_METHODS)

# A process for each core, each with one thread: more threads than cores take a third longer.
test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

# Metrics, tables, stores and shallow methods: no networks, no processes, no whole commands.
test-fast: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(FAST_TESTS)

coverage: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered

# Kills, pairs of runs, full disks, flipped bytes and bad inputs: about an hour on two cores.
reliability: $(VENV)/.installed
	cd tests/reliability && OMP_NUM_THREADS=1 $(abspath $(BIN))/python -m attack --write ../../docs/trust.md

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "hashbench needs Python 3.11 or newer; say which one with make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
