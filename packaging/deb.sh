#!/usr/bin/env bash
# Builds a Debian package: target/debian/backwatch_*.deb, whose path it prints last.
# Needs `cargo install cargo-deb`.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked -p backwatch
release=${CARGO_TARGET_DIR:-target}/release
backwatch=$release/backwatch
# The manual and the completions are the program's own description of itself.
package=$release/package
rm -rf "$package"
mkdir -p "$package/completions"
"$backwatch" man "$package/man"
"$backwatch" completions bash >"$package/completions/backwatch.bash"
"$backwatch" completions zsh >"$package/completions/_backwatch"
"$backwatch" completions fish >"$package/completions/backwatch.fish"
cargo deb -p backwatch --no-build
