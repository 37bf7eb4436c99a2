# Every target works from a bare checkout; `make` alone explains them.

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check docs screenshots soak audit bench clean

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|' \
		2>/dev/null || grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST)

setup: .venv/.installed ## Make .venv with everything in it (only when pyproject.toml or constraints.txt changed)

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup ## Run Muster with made-up members, on its own PostgreSQL
	$(BIN)/muster demo

test: setup ## Run all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope

check: setup ## Everything a change must pass: lint, format, types, imports, the processes' proof, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope

docs: setup ## Write docs/processes and docs/api.md again from the definitions
	$(BIN)/muster process docs docs/processes
	$(BIN)/python -m web.api.reference docs/api.md

screenshots: setup ## Take the pictures of the README again (needs Chromium)
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

soak: setup ## Everything that takes hours: kills, lost databases, workers, rehearsals, defences taken out (docs/long-runs.md)
	MUSTER_SOAK=1 $(BIN)/python -m pytest -q -s tests/faults/test_kills.py tests/faults/test_workers.py
	MUSTER_SOAK=1 $(BIN)/python -m pytest -q tests/faults/test_database_gone.py tests/browser/test_signoff.py
	MUSTER_SOAK=50 $(BIN)/python -m pytest -q tests/shell/test_what_happens_next.py
	MUSTER_SOAK=$${MUSTER_SOAK:-1000} $(BIN)/python -m pytest -q tests/shell/test_rehearsal.py
	MUSTER_SOAK=1 $(BIN)/python -m pytest -q -s tests/security/test_documented.py

audit: setup ## Ask whether what is installed fits together, and a service whether it has known holes
	$(BIN)/python -m pip check
	if command -v pip-audit >/dev/null; then pip-audit --requirement constraints.txt --no-deps --disable-pip; \
	else echo "pip-audit is not on the path; install it beside Muster to ask about known holes."; fi

bench: setup ## Measure sweeps, clicks, queues, a launch, delivery and workers, each beside its floor
	$(BIN)/python -m bench

clean: ## Remove what tools left behind; .muster, which holds data, stays
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
