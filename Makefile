# Everything is installed into .venv/ of this checkout; nothing else on the machine is touched.
PYTHON ?= python3
RUNS ?= runs
PORT ?= 2024
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
TRACKING := .venv-tracking
RAY := .venv-ray
# A stamp per set of extras: setting up again costs nothing while the requirements stand.
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
LOWEST_READY := $(LOWEST)/.ready
TRAIN := .venv-train
TRAIN_READY := $(TRAIN)/.ready
RAY_READY := $(RAY)/.ready
TRACKING_READY := $(TRACKING)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo studio test lint unit test-slow test-ray test-lowest test-train test-tracking drawing clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

demo: $(CORE) ## Set up, then align the embedded judge with the built-in sample's labels (about a minute)
	@$(BIN)/blpo optimize

studio: $(DEV) ## Serve both loops to LangGraph Studio on this machine (RUNS=runs PORT=2024)
	@BLPO_RUNS=$(abspath $(RUNS)) $(BIN)/python -m blpo.runs.server
	LANGGRAPH_CLI_NO_ANALYTICS=1 BLPO_RUNS=$(abspath $(RUNS)) $(BIN)/langgraph dev \
	  --host 127.0.0.1 --port $(PORT) --no-browser --no-reload --server-log-level ERROR

test: $(DEV) lint unit ## Set up, then pass lint, types, import rules and the tests but the slow ones

lint: $(DEV) ## Lint, format check, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Bytecode is kept: dozens of processes would compile the same files again.
unit test-slow: export PYTHONDONTWRITEBYTECODE =
unit: $(DEV) ## The tests alone, but the slow ones
	$(BIN)/pytest -n 3 --dist worksteal -m 'not slow'

test-slow: $(DEV) ## The slow tests: kills, servers, browsers, notebooks, experiments, simulations
	$(BIN)/pytest -n 3 --dist worksteal -m slow

test-ray: $(RAY_READY) ## The tests with Ray, in an environment of their own
	$(RAY)/bin/python -m pytest tests/ray

test-lowest: $(LOWEST_READY) ## The tests with the lowest versions of the core dependencies
	$(LOWEST)/bin/python -m pytest -n 3

# --noconftest: the fixtures of the suite need packages that a training does not need.
test-train: $(TRAIN_READY) ## The tests of trainings, in an environment of their own (the extra train)
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(TRAIN)/bin/python -m pytest -n 0 --noconftest tests/trained

test-tracking: $(TRACKING_READY) ## The tests with a real MLflow server, and with Weights & Biases
	$(TRACKING)/bin/python -m pytest tests/trackers

drawing: $(DEV) ## Draw both loops into README.md again
	$(BIN)/python -m blpo.reports.drawing

clean: ## Remove the environment and all caches (runs/ stays)
	rm -rf $(VENV) $(LOWEST) $(TRAIN) $(TRACKING) $(RAY) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)

$(CORE): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(CORE) $@

$(RAY_READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(RAY)
	$(RAY)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test-ray]'
	@touch $@

$(LOWEST_READY): pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[test]'
	@touch $@

# PyTorch first: the version of the constraints has a small build for processors.
$(TRAIN_READY): pyproject.toml constraints.txt constraints-train.txt
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-train.txt torch
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -c constraints-train.txt \
	  -e '.[train]' pytest pytest-asyncio pytest-xdist hypothesis
	@touch $@

# The packages of $(VENV), and above them those of the server and of wandb alone.
$(TRACKING_READY): $(DEV) constraints-tracking.txt
	$(BIN)/python -m venv --clear $(TRACKING)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $(TRACKING)/packages.pth
	mv $(TRACKING)/packages.pth "$$($(TRACKING)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	$(TRACKING)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r constraints-tracking.txt
	@touch $@
