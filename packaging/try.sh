#!/bin/bash
# See it work: a private Postfix on loopback with cpr-milter beside it, the sample mails of tests/data/mails sent through
# it, a table of what became of each, one notice in full, the console's address with a sign-in made for this run. Then
# everything is stopped and removed.
#
#   packaging/try.sh           about two minutes the first time (it builds), seconds after that
#   packaging/try.sh --keep    leaves it running, for mail of your own
#   packaging/try.sh --stop    stops what --keep left
#
# Run it as root on Debian or Ubuntu. The system's own mail server is not touched: the private one has its own
# configuration, queue, data and log in one folder, and its own ports on 127.0.0.1.
#
# CPR_MILTER_BIN=/path/to/cpr-milter   uses that binary instead of building one
# CPR_TRY_PORT=2525                    first of four ports in a row (clients, reinjection, the outside world, console)
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
self=$root/packaging/try.sh
port=${CPR_TRY_PORT:-2525}
reinject=$((port + 1))
outside=$((port + 2))
console=$((port + 3))
kept=/run/cpr-milter-try
keep=no
dir=''
pids=()

die() {
    echo "try.sh: $*" >&2
    exit 1
}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

check_machine() {
    [ "$(id -u)" = 0 ] || die "run it as root: sudo $self $*"
    [ ! -e "$kept" ] || die "one is still running in $(cat "$kept"); stop it with: $self --stop"
    local p
    for p in "$port" "$reinject" "$outside" "$console"; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then
            die "port $p is in use; choose four free ones in a row: CPR_TRY_PORT=3525 $self"
        fi
    done
}

# Installing Debian's package would start a system-wide Postfix: policy-rc.d says no while it is installed (and only then).
# A linker and a C compiler (for SQLite) are needed only where the binary is built here.
install_missing() {
    local packages=()
    command -v postfix >/dev/null && command -v smtp-sink >/dev/null || packages+=(postfix)
    [ -n "${CPR_MILTER_BIN:-}" ] || command -v cc >/dev/null || packages+=(build-essential)
    [ ${#packages[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "this is not Debian or Ubuntu: install Postfix 3.5 or later and a C compiler first"
    say "Installing ${packages[*]} (Postfix's system-wide service is not started)"
    local guard=/usr/sbin/policy-rc.d ours=no
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
        ours=yes
    fi
    local ok=yes
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections || true
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" \
        >/tmp/cpr-milter-try-apt.log 2>&1 || ok=no
    [ $ours = no ] || rm -f "$guard"
    [ $ok = yes ] || { tail -5 /tmp/cpr-milter-try-apt.log >&2; die "${packages[*]} could not be installed"; }
}

find_binary() {
    if [ -n "${CPR_MILTER_BIN:-}" ]; then
        bin=$CPR_MILTER_BIN
        [ -x "$bin" ] || die "CPR_MILTER_BIN=$bin is not a program"
        return
    fi
    local cargo=cargo
    command -v cargo >/dev/null || cargo=$HOME/.cargo/bin/cargo
    command -v "$cargo" >/dev/null \
        || die "cargo is missing: install Rust 1.95 from https://rustup.rs, or set CPR_MILTER_BIN to a binary"
    say "Building (some minutes the first time)"
    (cd "$root" && "$cargo" build --release --locked)
    bin=${CARGO_TARGET_DIR:-$root/target}/release/cpr-milter
}

# The shipped policy, with one protected person: the number in the first sample, whom the notice must not betray.
lay_out() {
    dir=$(mktemp -d /tmp/cpr-milter-try.XXXXXX)
    chmod 755 "$dir"
    mkdir "$dir/run" "$dir/store" "$dir/keys" "$dir/outside" "$dir/postfix"
    cp -r "$root/policies" "$dir/policies"
    chown postfix "$dir/outside"
    cat >"$dir/cpr-milter.yaml" <<CONFIG
policy: $dir/policies/municipality.yaml
listen: unix:$dir/run/milter.sock
socket_group: postfix
store: $dir/store/cpr-milter.db
keys: $dir/keys
reinject: 127.0.0.1:$reinject
hostname: mail.kommune.example
console:
  listen: 127.0.0.1:$console
  second_factor: optional
CONFIG
    "$bin" keys init "$dir/keys" >"$dir/keys.log" || die "keys init failed: $(cat "$dir/keys.log")"
    sed -n 's/.*cpr-nr\. \([0-9]\{6\}-[0-9]\{4\}\).*/\1/p' <(attachment "$root/tests/data/mails/01-aktindsigt-beskyttet.eml") \
        | "$bin" people add --config "$dir/cpr-milter.yaml" >"$dir/people.log" 2>&1 \
        || die "people add failed: $(cat "$dir/people.log")"
    make_accounts
}

# Two officers, so that a release that wants four eyes can be tried, each with a password of this run alone.
make_accounts() {
    local name
    for name in lis bo; do
        "$bin" user add "$name@kommune.example" --mail "$name@kommune.example" --role dpo --unmask --password-only \
            --generate --config "$dir/cpr-milter.yaml" >"$dir/$name.account" 2>&1 \
            || die "user add failed: $(cat "$dir/$name.account")"
    done
}

password_of() { sed -n 's/^Password (shown this once): //p' "$dir/$1.account"; }

print_console() {
    say "The console, where held mail is decided about"
    cat <<MORE
http://127.0.0.1:$console
  name lis@kommune.example   password $(password_of lis)
  name bo@kommune.example    password $(password_of bo)
(leave the code empty: these two have no second factor; two people must agree where a rule wants it)
MORE
}

# The one base64 part of a sample, decoded.
attachment() {
    tr -d '\r' <"$1" | awk '/^--/ {on = 0} on == 2 {print} /^Content-Transfer-Encoding: base64/ {on = 1} on == 1 && /^$/ {on = 2}' | base64 -d
}

start_all() {
    say "Starting Postfix, the milter and the courier in $dir"
    smtp-sink -u postfix -d "$dir/outside/%H%M%S." "127.0.0.1:$outside" 100 >"$dir/outside.log" 2>&1 &
    pids+=($!)
    "$bin" run --config "$dir/cpr-milter.yaml" >"$dir/milter.log" 2>&1 &
    pids+=($!)
    "$bin" courier --config "$dir/cpr-milter.yaml" >"$dir/courier.log" 2>&1 &
    pids+=($!)
    local try
    for try in $(seq 100); do
        [ ! -S "$dir/run/milter.sock" ] || break
        kill -0 "${pids[1]}" 2>/dev/null || { cat "$dir/milter.log" >&2; die "the milter did not start"; }
        sleep 0.1
    done
    "$root/packaging/lab/postfix.sh" start "$dir/postfix" --smtp "$port" --reinject "$reinject" --next-hop "$outside" \
        --milter "unix:$dir/run/milter.sock"
}

stop_all() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    [ -z "$dir" ] || {
        "$root/packaging/lab/postfix.sh" stop "$dir/postfix" || true
        local try
        for try in $(seq 100); do
            any_alive || break
            sleep 0.1
        done
        rm -rf "$dir"
    }
}

any_alive() {
    local pid
    for pid in "${pids[@]}"; do
        ! kill -0 "$pid" 2>/dev/null || return 0
    done
    return 1
}

stop_kept() {
    [ -f "$kept" ] || die "none is running"
    dir=$(cat "$kept")
    mapfile -t pids <"$dir/pids"
    rm -f "$kept"
    stop_all
    echo "Stopped and removed."
}

# --- sending: SMTP by hand, so that no other program is needed ---

expect() {
    local line
    while IFS= read -r -t 120 line <&3; do
        line=${line%$'\r'}
        [ "${line:3:1}" = - ] || break
    done
    reply=$line
    [[ $line = $1* ]]
}

# Sends one sample; leaves the last reply in $reply.
send() {
    local file=$1 name=$2 sender recipients to
    sender=$(sed -n '1s/^X-Envelope-From: \(.*\)\r$/\1/p' "$file")
    recipients=$(sed -n '2s/^X-Envelope-To: \(.*\)\r$/\1/p' "$file")
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    expect 220 || return 0
    printf 'EHLO klient.example\r\n' >&3
    expect 250 || return 0
    printf 'MAIL FROM:<%s> BODY=8BITMIME\r\n' "$sender" >&3
    expect 250 || return 0
    for to in $recipients; do
        printf 'RCPT TO:<%s>\r\n' "$to" >&3
        expect 250 || return 0
    done
    printf 'DATA\r\n' >&3
    expect 354 || return 0
    { printf 'X-Try: %s\r\n' "$name"; tail -n +3 "$file" | sed 's/^\./../'; printf '.\r\n'; } >&3
    expect 250 || true
    printf 'QUIT\r\n' >&3
    exec 3<&-
}

# Waits until nothing moves any more.
settle() {
    local quiet=0 before=-1 now
    for _ in $(seq 150); do
        now=$(find "$dir/outside" -type f | wc -l)
        if [ "$now" = "$before" ] && postqueue -c "$dir/postfix/etc" -p | grep -q 'queue is empty'; then
            quiet=$((quiet + 1))
        else
            quiet=0
        fi
        [ $quiet -lt 10 ] || return 0
        before=$now
        sleep 0.2
    done
}

# --- looking ---

body() { tr -d '\r' <"$1" | awk 'body {print} /^$/ {body = 1}'; }

copy_for() {
    grep -lF "X-Try: $1" "$dir/outside"/* 2>/dev/null | while read -r file; do
        if sed '/^$/q' "$file" | grep -qF "X-Rcpt-Args: <$2>"; then echo "$file"; fi
    done | head -1
}

subject() { tr -d '\r' <"$1" | sed -n '/^$/q; /^Subject:/p'; }

fate() {
    local name=$1 to=$2 file=$3 copy
    copy=$(copy_for "$name" "$to")
    if [ -n "$copy" ]; then
        if [ "$(body "$copy")" = "$(body "$file")" ] && [ "$(subject "$copy")" = "$(subject "$file")" ]; then
            echo "delivered as it came"
        else
            echo "delivered without the numbers"
        fi
    elif [[ ${replies[$name]} = 5* ]]; then
        echo "refused: ${replies[$name]}"
    elif [ -n "${incidents[$name]}" ]; then
        # shellcheck disable=SC2086
        state=$(for id in ${incidents[$name]}; do show "$id"; done | awk -v to="$to" '$2 == to {print $3; exit}')
        case $state in
        held) echo "held for review" ;;
        refused | failed | sent) echo "refused, the sender has a report" ;;
        *) echo "in our hands: ${state:-?}" ;;
        esac
    else
        echo "LOST? reply was: ${replies[$name]}"
    fi
}

show() { "$bin" quarantine show "$1" --config "$dir/cpr-milter.yaml"; }

ids() { "$bin" quarantine list --limit 0 --config "$dir/cpr-milter.yaml" | sed -n 's/^\([a-z0-9-]\{19\}\) .*/\1/p' | sort; }

send_samples() {
    say "Sending the samples of tests/data/mails"
    local file name before
    declare -gA replies incidents
    for file in "$root"/tests/data/mails/*.eml; do
        name=$(basename "$file" .eml)
        before=$(ids)
        reply='no reply'
        send "$file" "$name"
        replies[$name]=$reply
        incidents[$name]=$(comm -13 <(echo "$before") <(ids) | tr '\n' ' ')
        printf '.'
    done
    echo
    settle
}

print_table() {
    say "What became of each"
    local file name to
    printf '%-28s %-26s %s\n' MAIL RECIPIENT FATE
    for file in "$root"/tests/data/mails/*.eml; do
        name=$(basename "$file" .eml)
        for to in $(sed -n '2s/^X-Envelope-To: \(.*\)\r$/\1/p' "$file"); do
            printf '%-28s %-26s %s\n' "$name" "$to" "$(fate "$name" "$to" "$file")"
        done
    done
    say "The quarantine, as a reviewer sees it"
    "$bin" quarantine list --config "$dir/cpr-milter.yaml"
}

# Notices are the mails from nobody; the first one is shown as its reader sees it.
print_notice() {
    local file notice=''
    for file in $(grep -lF 'X-Mail-Args: <>' "$dir/outside"/* 2>/dev/null); do
        if grep -qF 'X-Rcpt-Args: <aktindsigt@' "$file"; then notice=$file && break; fi
    done
    if [ -z "$notice" ]; then
        tail -20 "$dir/courier.log" >&2
        die "no notice came; the courier says the above"
    fi
    say "One notice in full"
    # The first lines are the sink's own record of the transaction.
    if command -v perl >/dev/null && perl -MMIME::QuotedPrint -MMIME::Base64 -e 1 2>/dev/null; then
        sed '1,/^X-Rcpt-Args/d' "$notice" | decoded
    else
        sed '1,/^X-Rcpt-Args/d' "$notice"
    fi
}

# Transfer encodings undone part by part, so that the Danish can be read.
decoded() {
    perl -MMIME::QuotedPrint -MMIME::Base64 -ne '
        s/\r$//;
        if (/^--\S/)                                          { flush_part(); $how = ""; $in = 0; print; next }
        if (!$in && /^Content-Transfer-Encoding:\s*(\S+)/i)   { $how = lc $1 }
        if ($in && $how =~ /quoted-printable|base64/)         { $held .= $_; next }
        print; $in = 1 if /^$/;
        sub flush_part {
            print $how eq "base64" ? decode_base64($held) . "\n" : decode_qp($held) if length $held; $held = "";
        }
        END { flush_part() }'
}

print_how_to_go_on() {
    echo "$dir" >"$kept"
    printf '%s\n' "${pids[@]}" >"$dir/pids"
    rm -f "$dir"/*.account
    say "Still running in $dir"
    cat <<MORE
Send it mail of your own (swaks is a package of its own: apt-get install swaks):
  printf 'Subject: hej\n\ncpr-nr. 040170-3781\n' | sendmail -C $dir/postfix/etc -f sag@kommune.example -- borger@post.example
  swaks --server 127.0.0.1:$port --from sag@kommune.example --to borger@post.example --body 'cpr-nr. 040170-3781'
What arrived outside:    ls -t $dir/outside   (and notices; each file is one mail)
What is held:            $bin quarantine list --config $dir/cpr-milter.yaml
One of them:             $bin quarantine show ID --config $dir/cpr-milter.yaml
Let one go:              $bin quarantine release ID --actor lis@kommune.example --reason "why" --config $dir/cpr-milter.yaml
The audit trail:         $bin audit verify --config $dir/cpr-milter.yaml
Change the policy:       edit $dir/policies/municipality.yaml, then: kill -HUP ${pids[1]}
Logs:                    $dir/milter.log $dir/courier.log $dir/postfix/postfix.log
Stop and remove it all:  $self --stop
MORE
}

case ${1:-} in
--keep) keep=yes ;;
--stop) stop_kept && exit ;;
'') ;;
*) die "unknown option $1; see the head of this file" ;;
esac
check_machine "$@"
install_missing
find_binary
trap 'stop_all' EXIT
trap 'exit 130' INT TERM
lay_out
start_all
send_samples
print_table
print_notice
print_console
if [ $keep = yes ]; then
    trap - EXIT
    print_how_to_go_on
fi
