# The commands of this repository. `make help` lists them.
.DEFAULT_GOAL := help

CARGO ?= cargo
BUILT := $(or $(CARGO_TARGET_DIR),target)/debug

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Show the main job on a local AWS: apply, events, notifications, destroy
	@$(BUILT)/trailwire-demo

.PHONY: test
test: lint build catalogue-check operations-check ## Check and test everything (TEST_THREADS tests at once: 4; random cases from SEED: the same ones every time)
	PROPTEST_RNG_SEED=$(or $(SEED),20261121) $(CARGO) test --workspace --no-fail-fast -- --test-threads $(or $(TEST_THREADS),4)

.PHONY: build
build: ## Build everything (the first time takes some minutes: the AWS SDKs are large)
	$(CARGO) build --workspace

.PHONY: stand
stand: build ## Start a local AWS and print the environment to export; Ctrl-C ends it
	@$(BUILT)/trailwire-stand

.PHONY: lint
lint: ## Check format and lints
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

.PHONY: properties
properties: ## Try every law of matching and push-down a million times, with a release build (CASES)
	PROPTEST_CASES=$(or $(CASES),1000000) $(CARGO) test --release -p trailwire-engine --test pushdown_laws
	PROPTEST_CASES=$(or $(CASES),1000000) $(CARGO) test --release -p trailwire-engine --lib -- \
		compiled_is_oracle all_judges_agree the_printed_tree_is_the_tree

FUZZ_TARGETS := jmespath filter_pattern event_pattern matcher push_down
FUZZ_SECONDS ?= 60
FUZZ_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/fuzz

.PHONY: fuzz
fuzz: ## Throw bytes at parsers, matcher and push-down: FUZZ_SECONDS (60) each
	@PATH="$(FUZZ_DIR)/tools/bin:$$PATH" command -v cargo-fuzz >/dev/null || \
		$(CARGO) install cargo-fuzz --version 0.13.1 --locked --root $(FUZZ_DIR)/tools --target-dir $(FUZZ_DIR)/tools
	@export PATH="$(FUZZ_DIR)/tools/bin:$$PATH" RUSTC_BOOTSTRAP=1; \
	for target in $(FUZZ_TARGETS); do \
		mkdir -p $(FUZZ_DIR)/corpus/$$target; \
		$(CARGO) fuzz run --target-dir $(FUZZ_DIR) $$target $(FUZZ_DIR)/corpus/$$target fuzz/seeds/$$target -- \
			-dict=fuzz/dictionary.txt -max_total_time=$(FUZZ_SECONDS) -timeout=60 -rss_limit_mb=2000 -print_final_stats=1 || exit 1; \
	done

# jmespath.py, one of the others that the matcher is measured against, in an environment of its own.
BENCH_PYTHON := .stand/bench/bin/python
BENCH_STAMP := .stand/bench/made

$(BENCH_STAMP): tests/bench/peers/requirements.txt
	python3 -m venv --clear .stand/bench
	$(BENCH_PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --requirement $<
	touch $@

.PHONY: crash
crash: build ## Kill runtimes 100 times while 10,000 events flow, with each journal, alone and two on one hub (takes an hour)
	TRAILWIRE_CRASH=whole $(CARGO) test --workspace --test runtime crash -- --nocapture --test-threads 1

.PHONY: bench
bench: ## Measure what is promised, with a release build (the first takes minutes); PARTS=provider, fanout, runtime, matching or replay for a part
	$(CARGO) build --workspace --release --bin terraform-provider-trailwire --bin trailwire --bin trailwire-bench
ifeq ($(filter $(PARTS),provider fanout runtime replay),)
	for side in baseline matching; do \
		$(CARGO) build --release --manifest-path tests/bench/$$side/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)/bench || exit 1; \
	done
	@$(MAKE) --no-print-directory $(BENCH_STAMP) || echo "bench: jmespath.py is not measured, its packages cannot be installed" >&2
endif
	@TRAILWIRE_BENCH_PYTHON=$$(ls $(BENCH_PYTHON) 2>/dev/null) $(or $(CARGO_TARGET_DIR),target)/release/trailwire-bench $(PARTS)

ARCH ?= $(subst aarch64,arm64,$(shell uname -m))
LAMBDA_TARGET := $(subst arm64,aarch64,$(ARCH))-unknown-linux-gnu
LAMBDA_OUT := $(or $(CARGO_TARGET_DIR),target)

.PHONY: lambda
lambda: ## Build the runtime as a package for AWS Lambda, with a release build; ARCH=arm64 or x86_64 for another machine than this one
ifeq ($(LAMBDA_TARGET),$(shell uname -m)-unknown-linux-gnu)
	$(CARGO) build --workspace --release --bin trailwire
	@python3 tools/lambda/package.py $(LAMBDA_OUT)/release/trailwire $(LAMBDA_OUT)/trailwire-lambda-$(ARCH).zip
else
	@test -d "$$(rustc --print target-libdir --target $(LAMBDA_TARGET))" || \
		{ echo "lambda: for $(ARCH) install Rust's library (rustup target add $(LAMBDA_TARGET)) and a C compiler for it" >&2; exit 1; }
	$(CARGO) build --workspace --release --bin trailwire --target $(LAMBDA_TARGET)
	@python3 tools/lambda/package.py $(LAMBDA_OUT)/$(LAMBDA_TARGET)/release/trailwire $(LAMBDA_OUT)/trailwire-lambda-$(ARCH).zip
endif

.PHONY: docs
docs: ## Write the registry's pages in docs/ from the schemas, the messages on the pages of the diagnostics, and what every destination gets
	UPDATE_DOCS=1 $(CARGO) test --workspace --test docs --test diagnostics
	UPDATE_DOCS=1 $(CARGO) test --workspace --bin trailwire -- the_page_of_messages

# The event catalogue is made by Python packages of pinned versions, in an environment of their own.
CATALOGUE := tools/catalogue
CATALOGUE_PYTHON := .stand/catalogue/bin/python
CATALOGUE_STAMP := .stand/catalogue/made

$(CATALOGUE_STAMP): $(CATALOGUE)/requirements.txt
	python3 -m venv --clear .stand/catalogue
	$(CATALOGUE_PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --requirement $<
	touch $@

.PHONY: catalogue
catalogue: $(CATALOGUE_STAMP) ## Write the event catalogue (engine/src/catalogue/events.bin) from botocore, IAM's actions and the tables
	@$(CATALOGUE_PYTHON) -B $(CATALOGUE)/catalogue.py write

# Without a package index the committed catalogue cannot be made again; the engine's own tests still read every entry of it.
.PHONY: catalogue-check
catalogue-check: ## Make the event catalogue again and compare
	@if $(MAKE) --no-print-directory $(CATALOGUE_STAMP); then $(CATALOGUE_PYTHON) -B $(CATALOGUE)/catalogue.py check; \
	else echo "catalogue-check: skipped, its packages cannot be installed" >&2; fi

.PHONY: catalogue-report
catalogue-report: $(CATALOGUE_STAMP) ## Say how much of real records the event catalogue knows (RECORDS=FILE for other ones)
	@$(CATALOGUE_PYTHON) -B $(CATALOGUE)/catalogue.py report $(RECORDS)

.PHONY: operations
operations: $(CATALOGUE_STAMP) ## Write what queries may call (engine/src/operations/operations.json) from botocore and the tables
	@$(CATALOGUE_PYTHON) -B tools/operations/operations.py write

.PHONY: operations-check
operations-check: ## Make what queries may call again and compare
	@if $(MAKE) --no-print-directory $(CATALOGUE_STAMP); then $(CATALOGUE_PYTHON) -B tools/operations/operations.py check; \
	else echo "operations-check: skipped, its packages cannot be installed" >&2; fi

.PHONY: clean
clean: ## Remove what was built and the Python environments
	$(CARGO) clean
	rm -rf .stand
