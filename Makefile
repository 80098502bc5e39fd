# Monthend: every command that a person needs. The work itself is done in local/ and by the tools.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down month-end status check test simulate bench lock deploy
SHELL := /bin/bash
export SAM_CLI_TELEMETRY = 0

PYTHON := .venv/bin/python
SAM := .tools/sam/bin/sam
VENVS := .venv/.ready .tools/sam/.ready .tools/ministack/.ready

help: ## this list
	@sed -nE 's/^([a-z_-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo '  make invoke-NAME    run one function in a Lambda container on the running stack (needs docker)'
	@echo '                      NAME: a folder of functions/; EVENT=events/other.json for another event'

setup: ## install the tools: three virtual environments, pinned by hash
	@$(MAKE) --silent --no-print-directory --jobs=3 $(VENVS)

.venv/.ready: requirements/dev.txt
.tools/sam/.ready: requirements/sam.txt
.tools/ministack/.ready: requirements/ministack.txt
$(VENVS): .python-version local/make-venv
	@local/make-venv $(@D) $(filter requirements/%,$^)

demo: setup ## start a local AWS, deploy, run April's month-end, show the invoices, stop
	@$(PYTHON) -m local demo

up: setup ## start the local AWS afresh, with the sample month, and leave it running
	@$(PYTHON) -m local up $(if $(BIND),--bind $(BIND))

down: .venv/.ready ## stop what `make up` started
	@$(PYTHON) -m local down

month-end: .venv/.ready ## fire April's month-end on the running local AWS, and watch
	@$(PYTHON) -m local month-end

status: .venv/.ready ## say whether the local AWS is running, and where
	@$(PYTHON) -m local status

check: setup ## the fast half of the tests: style, types, imports, unit tests, template
	@$(PYTHON) -m local.checks fast

test: setup ## everything: check, then integration and end-to-end tests
	@$(PYTHON) -m local.checks all

simulate: .venv/.ready ## month-ends under faults (SEEDS=1000 FROM=0); a seed that fails says how to replay it
	@$(PYTHON) -m tests.simulation --seeds $(or $(SEEDS),1000) --from $(or $(FROM),0)

bench: setup ## what is measured, side by side
	@$(PYTHON) -m benchmarks

.PHONY: simulate-scale run-scale
simulate-scale: setup ## a million tenants on paper: minutes and cost (TENANTS= CONCURRENCY= WARM=1)
	@$(PYTHON) -m benchmarks.scale simulate $(SCALE) $(if $(WARM),--warm)

run-scale: setup ## 2,000 tenants billed on a local AWS, each checked (TENANTS= CONCURRENCY=)
	@$(PYTHON) -m benchmarks.scale run $(SCALE)

SCALE = $(if $(TENANTS),--tenants $(TENANTS)) $(if $(CONCURRENCY),--concurrency $(CONCURRENCY))

lock: ## pin all requirements anew, with hashes (needs uv)
	@local/lock

deploy: setup ## build and deploy to AWS, asking for the details
	@PATH="$(CURDIR)/.venv/bin:$$PATH" && $(SAM) build && $(SAM) deploy --guided

invoke-%: setup
	@$(PYTHON) -m local invoke $* $(if $(EVENT),--event $(EVENT))
