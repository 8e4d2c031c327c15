# The workbook's commands. `make help` lists them.
#
#   make book                      PYTHON=python3.13 chooses the Python that .venv is made with
#   make test PYTEST="-k edition"  hands arguments to pytest instead of running everything
#   make notebooks MEASURE=1       takes stored timings again
#   make serve PORT=8001           serves on another port; so does make widget

VENV := .venv
WORKERS ?= 2
PORT ?= 8000

# What is installed and built here depends on this folder alone, not on what the caller's shell tells
# Python and matplotlib (nor pip: scripts/install.py).
PYTHON_KEPT := UTF8 IOENCODING UNBUFFERED DONTWRITEBYTECODE PYCACHEPREFIX
unexport $(filter-out $(PYTHON_KEPT:%=PYTHON%),$(filter PYTHON%,$(.VARIABLES))) \
	__PYVENV_LAUNCHER__ MPLBACKEND MATPLOTLIBRC

# Windows keeps a virtual environment's programs in another folder.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := "$(BIN)/python"
INSTALL := scripts/install.py
# Warnings and errors are shown, and they fail the build; the progress is not.
BUILD := "$(BIN)/jupyter-book" build . --all -W --keep-going -q > /dev/null

BOOK_READY := $(VENV)/.ready-for-book
TEST_READY := $(VENV)/.ready-for-test
# The packages that the benchmark compares with live apart: nothing else shall depend on them.
BENCH_VENV := .venv-bench
BENCH_BIN := $(BENCH_VENV)/$(notdir $(BIN))
BENCH_READY := $(BENCH_VENV)/.ready
SITE := _build/html
STUDENT := _build/student

# Everything a page is made of; folders too, so that a removed file counts as a change.
# (`book/.` because `book` is the name of a command here.)
SOURCES := _config.yml _toc.yml book/. $(shell find book src/convbook -mindepth 1 \
	-not -path '*/.*' -not -path '*/__pycache__*' -not -name '* *' 2>/dev/null)

# Sums come out the same on every machine, and parallel tests don't fight over the cores.
# CONVBOOK_QUIET: no progress bars.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 PYTHONHASHSEED=0 \
	CONVBOOK_QUIET=1
NOTEBOOK_TESTS := --nbval --nbval-current-env --nbval-sanitize-with=tests/nbval_sanitize.cfg
# File by file, in the order that tests/conftest.py puts the files in.
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help book live editor student serve check lint format test test-gpu notebooks lab widget bench \
	record clean
.SILENT:
.DELETE_ON_ERROR:

help:
	echo "make book       build the site into $(SITE)/"
	echo "make live       the same, with every code cell running in the reader's browser"
	echo "make editor     build the live site's code editor anew, after a change of it (needs Node)"
	echo "make student    build the site without solutions into $(STUDENT)/html/"
	echo "make serve      serve the site, and build it again at every change"
	echo "make test       run every test: units, notebooks, browser"
	echo "make check      look for mistakes, and run the quick tests, without a browser (a minute and a half)"
	echo "make format     lay the code out in the project's style"
	echo "make test-gpu   run the tests of the mathematics on CuPy arrays (with a GPU)"
	echo "make lab        open the chapters in JupyterLab"
	echo "make notebooks  execute the chapters and store their outputs"
	echo "make widget     show one widget on a page of its own: make widget W=ConvolutionExplorer"
	echo "make bench      measure speed against PyTorch and other packages (some minutes)"
	echo "make record     record a chapter's measurements: make record CHAPTER=3-5-1"
	echo "make clean      remove what was built (what was installed stays)"

# --- Set-up --------------------------------------------------------------------------------------

# The first suitable Python, or the one that PYTHON names.
$(VENV)/pyvenv.cfg:
	suitable='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	chosen=; \
	for candidate in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python); do \
		if "$$candidate" -c "$$suitable" 2>/dev/null; then chosen=$$candidate; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
		echo "This book needs Python 3.11, 3.12 or 3.13, and $(or $(PYTHON),python3) is not" \
			"one of them. Install one, or name it: make book PYTHON=/path/to/python3.13"; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$chosen" --version)."; \
	"$$chosen" -m venv "$(VENV)" || { \
		rm -rf "$(VENV)"; \
		echo "This Python cannot make a virtual environment." \
			"On Debian or Ubuntu: sudo apt install python3-venv"; \
		exit 1; \
	}

$(BOOK_READY): $(VENV)/pyvenv.cfg requirements.txt constraints.txt pyproject.toml
	echo "Installing what the book needs (a minute or two the first time)."
	$(PY) $(INSTALL) -r requirements.txt
	touch "$@"

$(TEST_READY): $(BOOK_READY)
	echo "Installing what the tests need, PyTorch and TensorFlow among it (a few minutes the first time)."
	$(PY) $(INSTALL) -c constraints.txt -e ".[dev,test,torch,tensorflow,heart]"
	touch "$@"

$(BENCH_READY): benchmarks/requirements.txt constraints.txt pyproject.toml | $(VENV)/pyvenv.cfg
	echo "Installing what the benchmark compares with into $(BENCH_VENV) (a few minutes)."
	$(PY) -m venv "$(BENCH_VENV)"
	"$(BENCH_BIN)/python" $(INSTALL) -r benchmarks/requirements.txt
	touch "$@"

# --- The site ------------------------------------------------------------------------------------

book: _build/.built
	echo "The book is built. Open this address in a browser:"
	echo "    $$($(PY) -c 'from pathlib import Path; print(Path("$(SITE)/index.html").resolve().as_uri())')"
	echo "or serve it at http://localhost:8000 with:"
	echo "    $(BIN)/python -m http.server --directory $(SITE)"

_build/.built: $(BOOK_READY) $(SOURCES)
	echo "Building the book."
	$(BUILD)
	touch "$@"

# The same site with Python in it. CONVBOOK_PYODIDE=folder takes the runtime from a folder; otherwise it is
# downloaded once. Python is had before anything is built.
live: $(BOOK_READY)
	$(PY) -m convbook.site.live
	rm -f _build/.built
	echo "Building the live book."
	CONVBOOK_LIVE=1 $(BUILD)
	echo "The live book is built. Open this address in a browser:"
	echo "    $$($(PY) -c 'from pathlib import Path; print(Path("$(SITE)/index.html").resolve().as_uri())')"
	echo "or serve it at http://localhost:8000, as the web servers in the README would, with:"
	echo "    $(BIN)/python -m convbook.site.serve"

# The code editor of the live site, one file that is kept in the repository: who only builds the site needs no
# Node, and who changes the editor gets the same bytes from the same locked packages.
editor:
	cd src/convbook/site/live/editor && npm ci --silent && npm run --silent build

# Built from nothing each time: nothing of the other edition can be left over. CONVBOOK_LIVE=1 makes it live.
student: $(BOOK_READY)
	$(if $(CONVBOOK_LIVE),$(PY) -m convbook.site.live,true)
	echo "Building the student edition."
	rm -rf "$(STUDENT)"
	CONVBOOK_EDITION=student $(BUILD) --path-output "$(STUDENT)"
	mv "$(STUDENT)/_build/html" "$(STUDENT)/html"
	rm -rf "$(STUDENT)/_build"
	echo "The site without solutions is in $(STUDENT)/html/."

serve: _build/.built
	$(PY) scripts/serve_site.py --port $(PORT)

# --- Tests and notebooks -------------------------------------------------------------------------

# The package, the site in a browser, and every notebook, executed and compared with its outputs.
test: $(TEST_READY)
	$(ONE_THREAD) $(PY) -m pytest -q $(NOTEBOOK_TESTS) $(PARALLEL) $(or $(PYTEST),tests book)

# What is quick to find out: mistakes that reading finds, and what needs no browser, no site and no training.
# Of drawn examples, a quarter.
check: lint
	$(ONE_THREAD) $(PY) -m pytest -q -p no:nbval --hypothesis-profile=quick $(PARALLEL) \
		-m "not browser and not built and not slow" tests

lint: $(TEST_READY)
	$(PY) -m ruff check
	$(PY) -m ruff format --check -q || { echo "make format lays out what is listed above."; exit 1; }
	$(PY) -m convbook.site.notebooks --check

format: $(TEST_READY)
	$(PY) -m ruff check --fix-only -q
	$(PY) -m ruff format

test-gpu: $(TEST_READY)
	$(ONE_THREAD) $(PY) -m pytest -q --cupy $(PYTEST)

notebooks: $(TEST_READY)
	$(PY) -m convbook.site.notebooks $(if $(MEASURE),--measure)

lab: $(BOOK_READY)
	$(PY) -m jupyter lab book

widget: $(TEST_READY)
	$(PY) scripts/show_widget.py "$(W)" --port $(PORT)

bench: $(BENCH_READY)
	"$(BENCH_BIN)/python" benchmarks/run.py

record: $(BENCH_READY)
	"$(BENCH_BIN)/python" benchmarks/record.py "$(CHAPTER)"

clean:
	rm -rf _build
	find . \( -name '$(VENV)' -o -name $(BENCH_VENV) \) -prune \
		-o \( -name __pycache__ -o -name .ipynb_checkpoints -o -name .pytest_cache \
		-o -name .hypothesis \) -prune -exec rm -rf {} +
