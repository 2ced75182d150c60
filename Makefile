# Kezhi. `make help` says what there is; everything runs in .venv from uv.lock and needs Python >= 3.11 and make.
PYTHON ?= python3
RUN := .venv/bin/
# Servers are never needed. KEZHI_AMQP and KEZHI_PG in the environment are used by the demo; tests use RabbitMQ and
# PostgreSQL where they answer (KEZHI_TEST_AMQP, KEZHI_TEST_PG, else the local defaults), and embedded ones where not.
ENGINE ?= $(KEZHI_TEST_ENGINE)
export KEZHI_TEST_ENGINE := $(ENGINE)
# Many short processes start here: without compiled modules each would spend seconds on compiling them again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install pictures demo test browser check bench faults contracts clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/installed: uv.lock pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit("Kezhi needs Python >= 3.11: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x .venv/bin/uv || $(RUN)python -m pip install --quiet --disable-pip-version-check uv
	$(RUN)uv sync --frozen --quiet --compile-bytecode
	@touch $@

install: .venv/installed ## Make .venv from uv.lock

demo: install ## A company to look at (PORT=…; CUSTOMERS=…; EXIT=1 ends after the table)
	$(RUN)python -m kezhi demo $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(if $(EXIT),--exit) $(if $(PORT),--port $(PORT))

test: install ## All tests, in parallel, long ones in short form (ENGINE=embedded: without servers, ENGINE=servers: not without)
	$(RUN)python -m pytest -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder $(or $(ARGS),--regulation-coverage docs/regulation-coverage.md)

faults: install ## The long storms, the long fuzzing and the long models (about an hour)
	KEZHI_LONG=1 $(RUN)python -m pytest tests/faults tests/security tests/operations tests/journeys services/loyalty/tests services/complaint/tests services/notify/tests -m "faults or both_engines" --timeout 3600 $(ARGS)

browser: ## Debian's Chromium and Chinese fonts for the browser tests, where they are missing (root)
	@command -v chromium >/dev/null || test "$$(id -u)" = 0 || { echo "make browser installs Debian's chromium and fonts-noto-cjk, which takes root" >&2; exit 1; }
	@command -v chromium >/dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null)

check: install ## Format, lint, types, import contracts, drift of the published documents
	$(RUN)ruff format --check .
	$(RUN)ruff check .
	$(RUN)lint-imports --no-cache
	$(RUN)mypy contracts/src chassis/src operator/src services/customer/src services/complaint/src services/loyalty/src services/notify/src services/gateway/src
	$(RUN)python deploy/rabbitmq/generate.py --check
	$(RUN)python contracts/generate_openapi.py --check

contracts: install ## Write anew what is generated: OpenAPI documents, broker definitions
	$(RUN)python contracts/generate_openapi.py
	$(RUN)python deploy/rabbitmq/generate.py

bench: install ## Speed claims as ratios in one run (FULL=1: all of them)
	$(RUN)python -m benchmarks $(if $(FULL),--full) $(ARGS)

pictures: install ## The pictures of the READMEs, taken anew of a demo made for them (FROM="--url … --password … --home …": of yours)
	$(RUN)python docs/pictures/make.py $(FROM)

clean: ## Remove what the tools left behind
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
