#!/bin/bash
# Builds the Debian package into target/debian. Needs cargo-deb (cargo install --locked cargo-deb).
#
#   packaging/build-deb.sh [--profile dev]     dev: unoptimised, for trying the package itself
set -euo pipefail
cd "$(dirname "$0")/.."

profile=release
[ "${1:-}" != --profile ] || profile=${2:?a profile}
cargo=cargo
command -v cargo >/dev/null || cargo=$HOME/.cargo/bin/cargo
PATH=$PATH:$HOME/.cargo/bin
command -v cargo-deb >/dev/null || { echo 'build-deb.sh: cargo-deb is missing: cargo install --locked cargo-deb' >&2; exit 1; }

"$cargo" build --locked --profile "$profile"
binary=${CARGO_TARGET_DIR:-target}/$([ "$profile" = dev ] && echo debug || echo "$profile")/cpr-milter
# Completions and the commands' pages come from the binary itself, the other pages from packaging/man.
pages=${CARGO_TARGET_DIR:-target}/reference
rm -rf "$pages"
mkdir -p "$pages/man8" "$pages/man5" "$pages/completions"
"$binary" reference "$pages"
mv "$pages"/*.8 "$pages/man8/"
mv "$pages"/*.5 "$pages/man5/"
mv "$pages"/_cpr-milter "$pages"/cpr-milter.bash "$pages"/cpr-milter.fish "$pages/completions/"
cp packaging/man/*.8 "$pages/man8/"
for page in packaging/man/*.5; do [ ! -e "$page" ] || cp "$page" "$pages/man5/"; done
# Newest changes first, as the policy wants it: compressed, so that the file is the same on each machine.
gzip -9n -c CHANGELOG.md >"$pages/changelog.gz"
cp "$binary" "$pages/cpr-milter"
"$binary" policy schema >"$pages/policy.schema.json"
"$cargo" deb --no-build --no-strip --profile "$profile" --locked 2>&1
