# Everything a person does with a checkout. Each target can be repeated and says what it does.
.DEFAULT_GOAL := help
.PHONY: help install run demo check format docs site test coverage clients proxies promtool builder browser screenshots generators bench fuzz lock release clean

# A server whose modules are compiled anew at every start takes half as long again to begin.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
ROUNDS ?= 3
SECONDS ?= 60
TARGET ?=
T ?=
VERSION ?=
CONSOLE := $(shell find bpm/web/console/app -name node_modules -prune -o -name generated -prune -o -type f -print)
COMPILERS := default-jdk-headless php-cli php-curl mono-mcs libnewtonsoft-json5.0-cil libmono-system-net-http4.0-cil \
	libmono-system-componentmodel-dataannotations4.0-cil libmono-system-runtime-serialization4.0-cil \
	libmono-system-web4.0-cil

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.run .venv/.console ## Create .venv and install the product from the hashed lock, the console built

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "BPM Bus needs Python 3.11 or newer; set PYTHON=python3.12"; exit 1; }
	@echo "Creating .venv"
	@$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml .lock/run.txt | .venv/bin/python
	@echo "Installing the product"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .lock/run.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/.console: .venv/.run $(CONSOLE)
	@$(BIN)/python bpm/web/console/build_hook.py
	@touch $@

.venv/.test: .venv/.run .venv/.console .lock/test.txt
	@echo "Installing the test tools"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .lock/test.txt
	@touch $@

run: install ## Start the server on 127.0.0.1:8000 with its data in ./data
	@exec $(BIN)/bpm serve

demo: install ## Start the server with example rules, fire real payloads at them and print what happened
	@exec $(BIN)/bpm demo

check: .venv/.test ## Lint, format, types (also the console's) and the floors of the architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tests.console.types

format: .venv/.test ## Format, and mend what the linter can mend by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/.test ## Write the pages that are made from the code
	$(BIN)/python -m tests.architecture.docs_generated

site: .venv/.test ## Build the documentation as a site with search, in dist/site
	@cd .site && PYTHONPATH=. NO_MKDOCS_2_WARNING=1 ../$(BIN)/mkdocs build --quiet --strict
	@echo "Open dist/site/index.html, or serve it: python3 -m http.server --directory dist/site"

proxies: ## Install nginx, HAProxy and PgBouncer, which tests put before server and database (on Debian, as root)
	@PATH="$$PATH:/usr/sbin"; { command -v nginx && command -v haproxy && command -v pgbouncer; } >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends nginx haproxy pgbouncer; } \
		|| echo "nginx, HAProxy and PgBouncer can't be installed here: the tests behind them are skipped"

promtool: ## Install the tool that tries the alert rules (on Debian, as root)
	@command -v promtool >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends prometheus; } \
		|| echo "promtool can't be installed here: the alert rules are not tried"

builder: ## Install what builds the image without an engine (on Debian, as root)
	@{ command -v buildah && command -v mmdebstrap; } >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends buildah mmdebstrap; } \
		|| echo "buildah and mmdebstrap can't be installed here: the image is not built"

browser: ## Install the browser that tests of the console drive (on Debian, as root)
	@command -v chromium >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium; } \
		|| echo "Chromium can't be installed here: the console is not tried in a browser"

screenshots: .venv/.test browser ## Make the README's pictures of the console
	$(BIN)/python -m tests.console.screenshots

generators: ## Install what generates and compiles clients, in .clients (Node.js, Java, PHP and Mono on Debian, as root)
	@{ command -v npm && command -v javac && command -v php && command -v mcs && [ -e /usr/lib/cli/Newtonsoft.Json-5.0 ]; } >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(COMPILERS) $$(command -v npm >/dev/null || echo nodejs npm); } \
		|| echo "Node.js, Java, PHP and Mono can't be installed here: clients in their languages are not tried"
	@$(MAKE) -s .clients/.installed || echo "The generators can't be installed here: clients are not tried"

.clients/.installed: .lock/clients/python.txt .lock/clients/package-lock.json
	@echo "Installing the generators of clients"
	@$(PYTHON) -m venv .clients
	@.clients/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r .lock/clients/python.txt
	@cp .lock/clients/package.json .lock/clients/package-lock.json .clients
	@if command -v npm >/dev/null; then npm ci --prefix .clients --silent --no-audit --no-fund; fi
	@touch $@

clients: .venv/.test generators ## Generate and build the typed clients of clients/, and try them and those of other languages
	$(BIN)/python -m clients.generate
	.clients/node_modules/.bin/tsc -p clients/typescript
	$(BIN)/pytest -rs tests/clients

ifeq ($(T),)
test: check browser ## Everything CI runs; with T=path only the tests there
	$(BIN)/pytest --numprocesses 2 --dist loadfile --durations 30 --durations-min 5 \
		|| { [ $$? -eq 1 ] && $(BIN)/python -m tests.second_run; }
else
test: .venv/.test
	$(BIN)/pytest -x $(T)
endif

coverage: .venv/.test ## Run the tests of T=path and show the lines that they do not reach
	$(BIN)/coverage run -m pytest $(T)
	$(BIN)/coverage report

bench: .venv/.test ## Measure against the limits of this machine (needs wrk)
	@$(BIN)/python -m tests.bench --rounds $(ROUNDS)

fuzz: .venv/.test ## Give made-up input to what reads foreign bytes (SECONDS each; TARGET, or all)
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --target "$(TARGET)"

lock: .venv/.test ## Compile the locks anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra postgres --group build --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url -q -o .lock/run.txt
	uv pip compile pyproject.toml --group dev -c .lock/run.txt --universal --generate-hashes --no-header \
		--no-annotate --no-emit-index-url -q -o .lock/test.txt

release: ## Test, build and tag VERSION=x.y.z (nothing is pushed)
	@echo "$(VERSION)" | grep -Eq '^[0-9]+\.[0-9]+\.[0-9]+$$' || { echo "say which: make release VERSION=0.2.0"; exit 1; }
	@[ -z "$$(git status --porcelain)" ] || { echo "commit what you have changed first"; exit 1; }
	@grep -q '^## \[$(VERSION)\]' CHANGELOG.md || { echo "CHANGELOG.md has no heading ## [$(VERSION)]"; exit 1; }
	sed -i 's/^version = ".*"/version = "$(VERSION)"/' pyproject.toml
	$(MAKE) test
	$(BIN)/python -m hatchling build
	git commit --quiet --all --allow-empty --message "Version $(VERSION)"
	git tag --annotate "v$(VERSION)" --message "Version $(VERSION)"
	@echo "Tagged v$(VERSION); push it with: git push --follow-tags"

clean: ## Remove .venv, caches and benchmark results (not ./data)
	rm -rf .venv .clients .coverage dist bpm/web/console/dist bpm/web/console/app/node_modules .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/bench/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
