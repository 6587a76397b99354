# make demo | test | lint | bench | clean; each sets up .venv by itself. PYTHON=python3.X picks the interpreter (3.10 to 3.13).
PYTHON =
PY := .venv/bin/python
DEMO := build/demo

.PHONY: help demo test lint bench study clean setup-report setup-test setup-engine

help:
	@echo "make demo    a synthetic stress study, from DICOM to bull's-eye, in $(DEMO)"
	@echo "make test    ruff, mypy and every test"
	@echo "make lint    ruff and mypy alone"
	@echo "make bench   the figures for accuracy and speed"
	@echo "make study   the paper's network as printed on the paper's object (about an hour)"
	@echo "make clean   remove .venv and everything built"

demo: setup-report
	@$(PY) -m MyoPINNLib demo -o $(DEMO)

test: lint setup-engine
	@$(PY) -m pytest

lint: setup-test
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

bench: setup-engine
	@for file in Testing/Benchmarks/bench_*.py; do echo "== $$file"; $(PY) "$$file" || exit 1; done

study: setup-engine
	@$(PY) Testing/Benchmarks/study_phantom.py
	@$(PY) Testing/Benchmarks/study_networks.py

clean:
	rm -rf .venv build .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

setup-report:
	@sh .ci/setup "$(PYTHON)" report

setup-test:
	@sh .ci/setup "$(PYTHON)" report,test

# TensorFlow has no wheel for every platform: without it the tests that need it skip and say so.
setup-engine: setup-test
	@sh .ci/setup "$(PYTHON)" engine || echo "MyoPINN: going on without TensorFlow."
