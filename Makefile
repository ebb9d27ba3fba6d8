# The two commands to know: `make demo` and `make test`. `make help` lists the rest.
# Everything is installed into .venv in this folder; nothing else on the machine changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
LABS = $(notdir $(wildcard course/source/lab-*))

.PHONY: help demo test verify book pdf messages setup spark check format lock wheel clean

help: ## say what each command does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: $(READY) ## a whole class, from data to a graded gradebook (about 3 minutes)
	@$(BIN)/sharewell demo

test: check ## all checks and tests of the project
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest -n 4 --dist loadgroup

verify: $(READY) ## all samples and forgeries of all labs through the gradebook, on 200 populations (hours)
	@set -e; for lab in $(LABS); do echo "$$lab"; $(BIN)/gradewell verify "$$lab"; done
	@FORGERIES=all $(BIN)/python -m pytest -q -s tests/autograders/runner/test_forgeries.py

SPHINX = $(BIN)/sphinx-build --quiet --fail-on-warning --jobs 2

book: $(READY) ## the course as a static site in two languages, in book/_build/site (a few minutes the first time)
	@echo "Building the book ..."
	@$(SPHINX) -d book/_build/doctrees/en book book/_build/site
	@echo "Building the book in Chinese ..."
	@$(SPHINX) -d book/_build/doctrees/zh -D language=zh_CN book book/_build/zh
	@rm -rf book/_build/site/zh && cp -R book/_build/zh book/_build/site/zh
	@echo "Open book/_build/site/index.html, or copy the folder to a web server."

pdf: book ## the book as two files to print, in book/_build/site (needs Chromium)
	@for language in en zh; do \
	  echo "Laying out the book, $$language ..."; \
	  set -e; case $$language in zh) options="-D language=zh_CN";; *) options=;; esac; \
	  $(SPHINX) -b singlehtml -d book/_build/doctrees/$$language $$options book book/_build/print-$$language; \
	  $(BIN)/python book/pdf.py book/_build/print-$$language/index.html book/_build/site/sharewell-$$language.pdf; \
	done

messages: $(READY) ## bring the Chinese catalogues up to date with the pages, for a translator to fill in what is new
	@$(SPHINX) -b gettext -D nb_execution_mode=off book book/_build/gettext
	@rm -rf book/_build/gettext/api book/_build/gettext/data
	@$(BIN)/sphinx-intl update -p book/_build/gettext -d book/locale -l zh_CN --no-obsolete -w 100

setup: $(READY) ## install everything into .venv

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Sharewell needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@if command -v uv >/dev/null; then \
	  echo "Installing into $(VENV) with uv (a minute the first time) ..."; \
	  { [ -x $(BIN)/python ] || uv venv --quiet --python "$$(command -v $(PYTHON))" $(VENV); } && \
	  uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -r requirements.lock && \
	  uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -e .; \
	else \
	  echo "Installing into $(VENV) with pip (a few minutes the first time) ..."; \
	  { [ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || { \
	    echo "Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; false; }; } && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .; \
	fi
	@$(BIN)/python -m compileall -q autograders course/sharewell datasets
	@touch $@
	@echo "Ready."

spark: $(READY) ## add Spark, for the optional page of lesson 1.3 (needs Java 17 or newer)
	@command -v java >/dev/null || { echo "Spark needs Java 17 or newer. On Debian and Ubuntu: apt install default-jre-headless"; exit 1; }
	@echo "Installing Spark into $(VENV) (500 MB) ..."
	@if command -v uv >/dev/null; then \
	  uv pip install --quiet --compile-bytecode --python $(BIN)/python -e ".[spark]"; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[spark]"; \
	fi

check: $(READY) ## style and types
	@echo "Checking style and types ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy

format: $(READY) ## put code and notebooks into shape
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format .

lock: ## renew requirements.lock (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --extra dev --extra book --output-file requirements.lock --upgrade --quiet pyproject.toml

wheel: $(READY) ## build dist/*.whl
	@$(BIN)/python -m build --wheel

clean: ## remove what make made
	rm -rf $(VENV) book/_build dist sharewell-demo .pytest_cache .mypy_cache .ruff_cache
