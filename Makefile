# Everything sets itself up: the first target that needs it makes the environment in .venv and installs into it.
# `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
TEXT = Hello, world.
IN =
OUT = out/say.wav
PYTEST_ARGS ?=
COVERAGE ?=
QUICK ?= tests/test_glowvox.py tests/text tests/engines tests/synthesis tests/serve
BENCH = benchmarks/run_all.py

# As they were typed: a "$" in a text is a "$", and the shell sees them as variables, not as code.
override TEXT := $(value TEXT)
override IN := $(value IN)
override OUT := $(value OUT)
export TEXT IN OUT

# Hundreds of processes import the same files: what one has compiled, the others find.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
ENVIRONMENTS := $(VENV) $(VENV)-oldest $(VENV)-newest
PIP := -m pip install --quiet --disable-pip-version-check --constraint
PIP_INSTALL := $(BIN)/python $(PIP) constraints.txt
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) $(if $(COVERAGE),--cov --cov-report=) $(PYTEST_ARGS)
# What waits for clients, drives browsers and weighs memory takes long and says nothing about versions.
UNHURRIED = tests/serve/test_serve_hostile.py tests/serve/test_serve_process.py tests/serve/test_serve_page* \
  tests/serve/test_serve_load.py tests/synthesis/test_synthesis_memory.py
QUICK_PYTEST = OMP_NUM_THREADS=1 $(<D)/bin/python -m pytest -n $(JOBS) -m "not slow" $(UNHURRIED:%=--ignore-glob=%) $(PYTEST_ARGS) $(QUICK)
DESCRIPTION := pyproject.toml constraints.txt
VOICE := $(wildcard src/glowvox/voices/*/voice.json)
VOCODER := $(wildcard src/glowvox/voices/*/vocoder/model.safetensors)
SAY := $(wildcard src/glowvox/cli/say.py)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help say test coverage rooms test-oldest test-newest lint bench docs clean distclean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

ifneq ($(and $(SAY),$(VOICE)),)
say: $(VENV)/.main  ## speak: make say TEXT="Hello, world.", or make say IN=recording.wav; OUT=out/say.wav
	@mkdir -p "$$(dirname "$$OUT")"
	@if test -n "$$IN"; then $(BIN)/glowvox vocode "$$IN" -o "$$OUT"; else $(BIN)/glowvox say "$$TEXT" -o "$$OUT"; fi
	@echo "Spoken: $$OUT"
else
say: $(VENV)/.main
	@mkdir -p out "$$(dirname "$$OUT")"
	@printf 'No voice that reads texts is inside yet: a recording is spoken again instead of "%s".\n' "$$TEXT"
	@test -n "$$IN" || $(BIN)/python examples/speech_like.py out/recording.wav
	@$(BIN)/glowvox vocode "$${IN:-out/recording.wav}" -o "$$OUT" $(if $(VOCODER),,--griffin-lim)
	@echo "Spoken: $$OUT"
endif

test: $(VENV)/.dev  ## run all tests, on JOBS=2 processes; COVERAGE=yes notes which lines they run
	$(PYTEST)

coverage: COVERAGE = yes
coverage: $(VENV)/.dev  ## run all tests and print the line coverage of every room
	$(PYTEST)
	@cd tests && $(abspath $(BIN))/python -m architecture.coverage_of_rooms

rooms: $(VENV)/.dev  ## print the line coverage that the last measured run found
	@cd tests && $(abspath $(BIN))/python -m architecture.coverage_of_rooms

test-oldest: $(VENV)-oldest/.quick  ## run the quick tests with the oldest versions that pyproject.toml allows
	$(QUICK_PYTEST)

test-newest: $(VENV)-newest/.quick  ## run the quick tests with the newest versions that there are
	$(QUICK_PYTEST)

lint: $(VENV)/.dev  ## check style, format and types; list long files
	@status=0; \
	for check in "ruff check" "ruff format --check" "mypy"; do \
	  echo "== $$check"; $(BIN)/$$check || status=1; \
	done; \
	echo "== long files"; (cd tests && $(abspath $(BIN))/python -m architecture.code_rules); \
	exit $$status

bench: $(VENV)/.dev  ## run all benchmarks into docs/benchmarks.md, or one: BENCH=benchmarks/alignment.py
	$(BIN)/python $(BENCH)

docs: $(VENV)/.docs  ## build the documentation into build/docs, warnings being errors
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs
	@echo "Built: build/docs/index.html"

clean:  ## remove what was built, and caches
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests examples benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## remove the environments too
	rm -rf $(ENVIRONMENTS)

# Not compiled where tests run: they import the smaller part of what is installed.
# Each stamp says that an installation went through; it is made again when the dependencies change.
$(VENV)/.main: $(VENV)/.made $(DESCRIPTION)
	@echo "Installing Glowvox into $(VENV) ..."
	@$(PIP_INSTALL) --editable . $(if $(and $(SAY),$(VOICE)),,torch)
	@touch $@

$(VENV)/.dev: $(VENV)/.made $(DESCRIPTION)
	@echo "Installing Glowvox with what its tests need into $(VENV) ..."
	@$(PIP_INSTALL) --no-compile --editable '.[dev]'
	@touch $@ $(VENV)/.docs

$(VENV)/.docs: $(VENV)/.made $(DESCRIPTION)
	@echo "Installing Glowvox with what its documentation needs into $(VENV) ..."
	@$(PIP_INSTALL) --editable '.[docs]'
	@touch $@

$(VENV)-oldest/.quick $(VENV)-newest/.quick: $(VENV)-%/.quick: $(VENV)-%/.made pyproject.toml constraints-%.txt
	@echo "Installing Glowvox and its quick tests with the $* versions into $(VENV)-$* ..."
	@$(VENV)-$*/bin/python $(PIP) constraints-$*.txt --no-compile --upgrade --upgrade-strategy eager --editable '.[quick]'
	@touch $@

$(ENVIRONMENTS:%=%/.made):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Glowvox needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(@D)
	@touch $@
