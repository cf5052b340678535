# What one does here, by name. Each can be typed without `just` as well.

# Lists what there is
default:
    @just --list

# Starts Lectern
run *args:
    cargo run -- {{ args }}

# Passes the tests, on SQLite and PostgreSQL; arguments select
test *args:
    ./scripts/test {{ args }}

# Compiles everything, and no further than its types
check:
    cargo check --all-targets

# Formats the code
fmt:
    cargo fmt --all

# Lints as strictly as `ci` does
lint:
    cargo clippy --all-targets --all-features -- -D warnings

# Builds the documentation and opens it
doc:
    cargo doc --no-deps --document-private-items --open

# Checks the dependencies' licences, advisories and sources (needs cargo-deny)
deny:
    cargo deny check

# Measures on this machine and writes docs/performance.md (`--quick` only tries it out)
bench *args:
    ./bench/run {{ args }}

# Runs everything that must hold before a change is taken
ci:
    bash .ci/run
