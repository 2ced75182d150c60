# Kezhi. `make help` says what there is; everything runs in .venv from uv.lock and needs Python >= 3.11 and make.
PYTHON ?= python3
RUN := .venv/bin/
# The two servers that demo, test and bench use. Set them here, or in the environment:
export KEZHI_TEST_AMQP ?= amqp://guest:guest@127.0.0.1:5672//
export KEZHI_TEST_PG ?= postgresql://postgres@127.0.0.1:5432/postgres
KEZHI_AMQP ?= $(KEZHI_TEST_AMQP)
KEZHI_PG ?= $(KEZHI_TEST_PG)
export KEZHI_AMQP KEZHI_PG
# Many short processes start here: without compiled modules each would spend seconds on compiling them again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install demo test browser check bench faults contracts clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/installed: uv.lock pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml)
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x .venv/bin/uv || $(RUN)python -m pip install --quiet --disable-pip-version-check uv
	$(RUN)uv sync --frozen --quiet --compile-bytecode
	@touch $@

install: .venv/installed ## Make .venv from uv.lock

demo: install ## A company to look at (RabbitMQ: KEZHI_AMQP, PostgreSQL: KEZHI_PG; EXIT=1 ends after the table)
	$(RUN)kezhi demo $(if $(EXIT),--exit) $(if $(PORT),--port $(PORT))

test: install ## All tests, in parallel, the storm in its short form; writes docs/regulation-coverage.md
	$(RUN)python -m pytest -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder $(or $(ARGS),--regulation-coverage docs/regulation-coverage.md)

faults: install ## The long storm, the long fuzzing and the long models (about half an hour)
	KEZHI_LONG=1 $(RUN)python -m pytest tests/faults tests/security services/loyalty/tests services/complaint/tests -m faults --timeout 3600 $(ARGS)

browser: ## Debian's Chromium and Chinese fonts for the browser tests, where they are missing (root)
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

clean: ## Remove what the tools left behind
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
