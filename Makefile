# make run    sets everything up on a fresh machine and runs the main job
# make test   sets everything up and runs the tests

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
RUN_ARGS ?= --task A5 --model ids4:state_norm=true --model mamba

.PHONY: run test test-all lint format bench clean

run: $(READY)
	$(VENV)/bin/flann run $(RUN_ARGS)

test: $(READY) lint
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 -m "not slow and not gpu" --doctest-modules

test-all: $(READY) lint
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,outside]'
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 -m "not gpu" --doctest-modules

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(READY)
	for file in tests/benchmarks/bench_*.py; do OMP_NUM_THREADS=1 $(VENV)/bin/python $$file; done

# The stamp makes a second `make` start at once; it is older than what decides the set-up only
# when the set-up must be done again.
$(READY): pyproject.toml setup.py constraints.txt $(wildcard models/scans/cpu_backend/kernels/*)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
