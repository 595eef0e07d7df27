# The commands of this repository. `make help` lists them.
.DEFAULT_GOAL := help

CARGO ?= cargo
BUILT := $(or $(CARGO_TARGET_DIR),target)/debug

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Show the main job on a local AWS: apply, events, notifications, destroy
	@$(BUILT)/trailwire-demo

.PHONY: test
test: lint build ## Check and test everything
	$(CARGO) test --workspace --no-fail-fast

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

.PHONY: bench
bench: ## Measure what is promised, with a release build (the first one takes several minutes)
	$(CARGO) build --workspace --release --bin terraform-provider-trailwire --bin trailwire-bench
	for side in baseline matching; do \
		$(CARGO) build --release --manifest-path tests/bench/$$side/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)/bench || exit 1; \
	done
	@$(or $(CARGO_TARGET_DIR),target)/release/trailwire-bench

.PHONY: docs
docs: ## Write the registry's pages in docs/ from the schemas
	UPDATE_DOCS=1 $(CARGO) test --workspace --test docs

.PHONY: clean
clean: ## Remove what was built and the stand's Python environment
	$(CARGO) clean
	rm -rf .stand
