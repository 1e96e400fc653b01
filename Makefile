# Everything sets itself up: the first target that needs it makes the environment in .venv and installs into it.
# `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
TEXT = Hello, world.
IN =
OUT = out/say.wav
PYTEST_ARGS ?=
BENCH = benchmarks/run_all.py

# As they were typed: a "$" in a text is a "$", and the shell sees them as variables, not as code.
override TEXT := $(value TEXT)
override IN := $(value IN)
override OUT := $(value OUT)
export TEXT IN OUT

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DESCRIPTION := pyproject.toml constraints.txt
VOICE := $(wildcard src/glowvox/voices/*/voice.json)
VOCODER := $(wildcard src/glowvox/voices/*/vocoder/model.safetensors)
SAY := $(wildcard src/glowvox/cli/say.py)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help say test lint bench docs clean distclean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

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

test: $(VENV)/.dev  ## run all tests, on JOBS=2 processes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

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

distclean: clean  ## remove the environment too
	rm -rf $(VENV)

# Each stamp says that an installation went through; it is made again when the dependencies change.
$(VENV)/.main: $(VENV)/.made $(DESCRIPTION)
	@echo "Installing Glowvox into $(VENV) ..."
	@$(PIP_INSTALL) --editable . $(if $(and $(SAY),$(VOICE)),,torch)
	@touch $@

$(VENV)/.dev: $(VENV)/.made $(DESCRIPTION)
	@echo "Installing Glowvox with what its tests need into $(VENV) ..."
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.made $(DESCRIPTION)
	@echo "Installing Glowvox with what its documentation needs into $(VENV) ..."
	@$(PIP_INSTALL) --editable '.[docs]'
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Glowvox needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@
