# Every target sets up what it needs: a virtual environment from the constraints file.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PIP_ARGS ?= --quiet --disable-pip-version-check
# Tests run file by file in so many processes, each with a temporary directory of its own; long files first.
BESIDE ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: quickstart test test-quick test-slow lint toolchains clean

quickstart: $(BIN)/.core
	$(BIN)/rewardranker cycle --config configs/quickstart.yaml

# Linters use one core, tests what there is.
test: $(BIN)/.dev
	$(MAKE) --jobs=2 lint test-quick

test-quick: $(BIN)/.dev
	$(BIN)/python -m pytest $(BESIDE) -m "not slow"

test-slow: $(BIN)/.dev
	$(BIN)/python -m pytest $(BESIDE) -m slow

lint: $(BIN)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BIN)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install $(PIP_ARGS) -c constraints.txt -e .
	touch $@

# vLLM's CPU build pulls in CUDA builds of torchvision and torchaudio, which it does not need and cannot import.
$(BIN)/.dev: $(BIN)/.core
	$(BIN)/pip install $(PIP_ARGS) -c constraints.txt -e '.[cpu,dev]'
	$(BIN)/pip uninstall $(PIP_ARGS) -y torchvision torchaudio torchcodec
	touch $@

# What the judge runs programs with. Languages whose tools are missing are not judged (NO_TOOLCHAIN).
toolchains:
	sh .ci/toolchains

clean:
	rm -rf $(VENV) runs
