#!/bin/bash
# Time and memory on large documents beside what one would otherwise use, all in one run: `benches/documents.sh [ROUNDS]`. Makes
# the documents first (a virtual environment from PyPI, once). Programs that are not installed are left out: perf counts the time.
#   apt-get install linux-perf poppler-utils unzip docx2txt xlsx2csv mupdf-tools clamav libreoffice-writer libreoffice-calc
set -euo pipefail
cd "$(dirname "$0")/.."
work=${CPR_BENCH_DIR:-$PWD/target/documents}
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ] || ! "$work/venv/bin/python" -c 'import docx, openpyxl, reportlab' 2>/dev/null; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet python-docx openpyxl reportlab
fi
cargo build --release --locked --quiet
"$work/venv/bin/python" benches/documents.py "$work" target/release/cpr-milter "${1:-7}"
CPR_BENCH_DIR=$work cargo bench --locked --bench documents
