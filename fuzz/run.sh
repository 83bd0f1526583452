#!/bin/bash
# Fuzzes each family for a while, by coverage, on the stable compiler (libFuzzer without a sanitizer: there is no unsafe code here
# for one to watch): `./run.sh [SECONDS EACH] [FAMILY ...]`. The inputs begin with the files of the tests; what is found
# goes on from run to run in $CPR_FUZZ_DIR (target/fuzz). Ends with a table, and with 1 when a promise was broken; the
# input is kept in its `faults`. `cargo fuzz run FAMILY` does the same with a nightly compiler.
set -uo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# -gt 0 ] && shift
families=(text html rtf office odf xlsb legacy outlook pdf picture archive mail sqlite detect)
[ $# -gt 0 ] && families=("$@")

work=${CPR_FUZZ_DIR:-$PWD/../target/fuzz}
mkdir -p "$work/faults"
target=$(rustc -vV | sed -n 's/^host: //p')
coverage=(-Cpasses=sancov-module)
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage+=("-Cllvm-args=-sanitizer-coverage-$option")
done
RUSTFLAGS="--cfg fuzzing ${coverage[*]}" cargo build --release --target "$target" --target-dir "$work/build" || exit 2
bin=$work/build/$target/release

documents=../tests/data/documents
seeds_of() {
    case $1 in
    text) echo "$work/seeds/text" ../tests/data/detect ;;
    html) echo "$work/seeds/html" ;;
    rtf) echo $documents/rtf ;;
    office) echo $documents/docx $documents/xlsx $documents/pptx ;;
    odf) echo $documents/odt $documents/ods $documents/odp ;;
    xlsb) echo $documents/xlsb ;;
    legacy) echo $documents/doc $documents/xls $documents/ppt ;;
    outlook) echo $documents/msg $documents/tnef ;;
    pdf) echo $documents/pdf ;;
    picture) echo $documents/images ;;
    archive) echo "$work/seeds/archive" ../tests/data/document ;;
    sqlite) echo "$work/seeds/sqlite" ;;
    mail) echo ../tests/data/mails "$work/seeds/mail" ;;
    detect) echo ../tests/data/detect ;;
    esac
}
# The cases of the tests' tables as files; those of `text` with the letter before them that chooses UTF-8.
mkdir -p "$work"/seeds/{text,html,mail,archive,sqlite}
cp $documents/archives/*.sqlite "$work/seeds/sqlite/"
# Bombs take their time to reach the limit, and tests have them.
find $documents/archives -type f ! -name '*.sqlite' ! -name 'bomb*' ! -name '*.py' ! -name '*.tsv' -exec cp -t "$work/seeds/archive" {} +
python3 - "$work/seeds" <<'PY'
import json, pathlib, re, sys, textwrap
seeds = pathlib.Path(sys.argv[1])
def write(family, cases):
    for i, case in enumerate(cases):
        (seeds / family / str(i)).write_bytes(case)
def sources(table):
    text = pathlib.Path("../tests/data/document", table).read_text()
    for line in re.findall(r'^  source: (".*")$', text, re.M):
        try:
            yield json.loads(line).encode(errors="surrogatepass")
        except ValueError:
            pass  # an escape that JSON does not have
write("html", sources("html.yaml"))
write("text", (b"@" + case for case in sources("text.yaml")))
mails = re.split(r"^- name:.*\n  mail: \|\n", pathlib.Path("../tests/data/message/clean.yaml").read_text(), flags=re.M)
write("mail", (textwrap.dedent(mail).encode() for mail in mails[1:]))
PY

printf '%-10s %10s %8s %10s %8s  %s\n' family inputs new slowest_ms peak_MB result
broken=0
for family in "${families[@]}"; do
    corpus=$work/corpus/$family log=$work/$family.log
    mkdir -p "$corpus"
    # Longer than any bound that a target checks itself; a hang that its own clock does not see ends there.
    # shellcheck disable=SC2046
    timeout --kill-after=10 $((seconds + 300)) "$bin/$family" "$corpus" $(seeds_of "$family") -max_total_time="$seconds" \
        -timeout=40 -rss_limit_mb=3000 -max_len=200000 -artifact_prefix="$work/faults/$family-" -print_final_stats=1 >"$log" 2>&1
    status=$?
    cost=$(sed -n 's/^cost: \([0-9]*\) ms \([0-9]*\) MB$/\1 \2/p' "$log" | tail -1)
    inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    new=$(sed -n 's/^stat::new_units_added: *//p' "$log")
    result=ok
    if [ $status -ne 0 ]; then
        broken=1
        result="BROKEN, see $log"
    fi
    printf '%-10s %10s %8s %10s %8s  %s\n' "$family" "${inputs:--}" "${new:--}" "${cost% *}" "${cost#* }" "$result"
done
exit $broken
