# Every target makes the virtual environment it needs; PYTHON chooses the interpreter.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: demo test test-all lint format docs clean

demo: $(INSTALLED)  ## train, export and convert on embedded data, in one to two minutes
	$(BIN)/keras-dtl demo

test: $(INSTALLED)  ## the quick tests, under five minutes on two cores
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-all: $(INSTALLED)  ## with the slow and the data-bound ones (KERAS_DTL_DATA names the data)
	$(BIN)/python -m pytest -m "not gpu"

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m tests.snippets build/snippets
	$(BIN)/pyright --pythonpath $(BIN)/python -p build/snippets

docs: $(INSTALLED)  ## the pages as a site, in build/site; a dead link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info

$(INSTALLED): setup.cfg setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools wheel
	# editable_mode: type checkers, too, find the package by the path that it leaves
	$(BIN)/python -m pip install --quiet --editable ".[train,cpu,ray,test,docs]" \
		--config-settings editable_mode=compat
	$(BIN)/python -m compileall -q keras_dtl  # as pip does for what it copies
	touch $(INSTALLED)
