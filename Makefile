# make demo | test | lint | bench | validate | soak | reproduce | clean; each sets up .venv by itself. PYTHON=python3.X picks the interpreter (3.10 to 3.13).
PYTHON =
PY := .venv/bin/python
DEMO := build/demo
# Tests that draw windows: not beside TensorFlow, and each file in a process of its own (exit 5: no Slicer library, none to run).
WINDOWS := $(wildcard Testing/Python/test_module_*.py) \
    $(patsubst %,Testing/Python/test_%.py,bullseye_view curves environment_panel harness_desktop harness_qt)
# Benchmarks whose figures make reproduce writes into docs/validation.md (make validate writes those of objects and segments).
WRITING := prior joint one_shot spatial phantom speed start gui

.PHONY: help demo test lint bench validate soak reproduce clean setup-report setup-test setup-engine setup-slicer setup-peers

help:
	@echo "make demo    a synthetic stress study, from DICOM to bull's-eye, in $(DEMO)"
	@echo "make test    ruff, mypy and every test"
	@echo "make lint    ruff and mypy alone"
	@echo "make bench   the figures for accuracy and speed"
	@echo "make validate    truth against maps, what MBF hangs on, the paper's patients, objects, segments: written into docs/validation.md"
	@echo "make soak        broken input, kills, crowds, long sessions, full disks: a quarter of an hour"
	@echo "make reproduce   the paper's networks as printed, the comparison of methods and all other figures, written there too (some ten hours; long runs are kept in build/reproduce, so it goes on where it was stopped)"
	@echo "make clean   remove .venv and everything built"

demo: setup-report
	@$(PY) -m MyoPINNLib demo -o $(DEMO)

test: lint setup-engine setup-slicer
	@MYOPINN_TESTS=others $(PY) -m pytest
	@failed=; for file in $(WINDOWS); do \
	    echo "== $$file"; \
	    MYOPINN_TESTS=windows $(PY) -m pytest "$$file" || [ $$? -eq 5 ] || failed="$$failed $$file"; \
	done; [ -z "$$failed" ] || { echo "Failed:$$failed"; exit 1; }

lint: setup-test
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

bench: setup-engine setup-slicer setup-peers
	@for file in Testing/Benchmarks/bench_*.py; do echo "== $$file"; $(PY) "$$file" || exit 1; done

validate: setup-test
	@for name in agreement sensitivity patients; do $(PY) Testing/Benchmarks/study_$$name.py --write || exit 1; done
	@for name in objects segments; do $(PY) Testing/Benchmarks/bench_$$name.py --write || exit 1; done

soak: setup-engine
	@$(PY) Testing/Benchmarks/soak.py

# What needs no TensorFlow first, so that its figures are there where TensorFlow is not.
reproduce: export OMP_NUM_THREADS = 1
reproduce: setup-engine setup-slicer setup-peers
	@for name in $(WRITING); do $(PY) Testing/Benchmarks/bench_$$name.py --write || exit 1; done
	@$(PY) Testing/Benchmarks/soak.py --write
	@for name in table1 ablations networks phantom; do $(PY) Testing/Benchmarks/study_$$name.py --write || exit 1; done
	@$(PY) Testing/Benchmarks/bench_networks.py --write
	@$(PY) Testing/Benchmarks/study_agreement.py --networks --write
	@$(PY) Testing/Benchmarks/bench_methods.py --seeds 301 302 --keep --write
	@$(PY) Testing/Benchmarks/study_printed.py --write

clean:
	rm -rf .venv .venv-peers build .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

setup-report:
	@sh .ci/setup "$(PYTHON)" report

setup-test:
	@sh .ci/setup "$(PYTHON)" report,test

# TensorFlow has no wheel for every platform: without it the tests that need it skip and say so.
setup-engine: setup-test
	@sh .ci/setup "$(PYTHON)" engine || echo "MyoPINN: going on without TensorFlow."

# Slicer's own C++ without Slicer: Linux x86-64 alone. Without it the tests of the scene skip and say so.
setup-slicer: setup-test
	@sh .ci/setup "$(PYTHON)" slicer || echo "MyoPINN: going on without Slicer's own library."

# Other packages, for make bench alone. Where the registry is out of reach their rows say so.
setup-peers: setup-test
	@sh .ci/setup-peers $(PY) || echo "MyoPINN: going on without the peers (dcmri, osipi)."
