#!/bin/bash
# A private Postfix on loopback: its own configuration, queue, data and log below one folder. The system's own instance
# and /etc/postfix are never read, written, started or stopped. Used by packaging/try.sh and by tests/postfix.rs, so
# that what is tested is what is shown.
#
#   postfix.sh start DIR --smtp PORT --reinject PORT --next-hop PORT [--milter ADDRESS] [--set NAME=VALUE]...
#   postfix.sh stop DIR
#
# --smtp      where clients connect (with the milter, if there is one)
# --reinject  where the courier hands over what it sends: no milter, loopback only
# --next-hop  everything is delivered there by SMTP, one recipient a transaction
# --milter    unix:/path or inet:127.0.0.1:PORT; without it, mail passes unfiltered
# --set       one more line for main.cf
set -euo pipefail

INSTALL_LINE='apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y postfix'

die() {
    echo "postfix.sh: $*" >&2
    exit 1
}

need_postfix() {
    [ "$(id -u)" = 0 ] || die "run as root: Postfix's master changes to other users"
    command -v postfix >/dev/null && command -v postconf >/dev/null \
        || die "Postfix is not installed. Install it with: $INSTALL_LINE"
}

# No chroot in any line: the milter's socket and the tables lie outside the queue directory.
# smtpd waits 100 seconds for proxymap when it is missing, so it is there although nothing here needs it.
write_master_cf() {
    cat <<MASTER
127.0.0.1:$smtp inet n - n - - smtpd
127.0.0.1:$reinject inet n - n - - smtpd
    -o syslog_name=postfix/reinject
    -o smtpd_milters=
    -o mynetworks=127.0.0.0/8
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
    -o receive_override_options=no_address_mappings
pickup     unix  n - n 60 1 pickup
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
verify     unix  - - n - 1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - - proxymap
proxywrite unix  - - n - 1 proxymap
smtp       unix  - - n - - smtp
relay      unix  - - n - - smtp
showq      unix  n - n - - showq
error      unix  - - n - - error
retry      unix  - - n - - error
discard    unix  - - n - - discard
local      unix  - n n - - local
virtual    unix  - n n - - virtual
lmtp       unix  - - n - - lmtp
anvil      unix  - - n - 1 anvil
scache     unix  - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
MASTER
}

# Settings of reliability: milter_default_action, milter_protocol, enable_original_recipient (DELRCPT matches on it),
# message_strip_characters, internal_mail_filter_classes, smtpd_forbid_bare_newline. Short retry times, so that a mail
# that waits is seen to go within seconds.
write_main_cf() {
    cat <<MAIN
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/postfix.log
maillog_file_prefixes = $dir
myhostname = mail.kommune.example
mydomain = kommune.example
myorigin = kommune.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
relayhost = [127.0.0.1]:$next_hop
smtp_host_lookup = native
smtp_destination_recipient_limit = 1
default_destination_recipient_limit = 1
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtputf8_enable = yes
enable_original_recipient = yes
message_strip_characters = \\0
internal_mail_filter_classes =
message_size_limit = 51200000
mailbox_size_limit = 0
smtpd_timeout = 120s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
smtp_connect_timeout = 5s
milter_default_action = tempfail
milter_protocol = 6
milter_connect_timeout = 10s
milter_command_timeout = 30s
milter_content_timeout = 300s
smtpd_milters = $milter
non_smtpd_milters = $milter
MAIN
    # Only versions that know it. -d reads no main.cf: /etc/postfix may not have one.
    if [ -n "$(postconf -d smtpd_forbid_bare_newline 2>/dev/null)" ]; then
        echo 'smtpd_forbid_bare_newline = normalize'
        echo 'smtpd_forbid_bare_newline_exclusions ='
    fi
    printf '%s\n' "${settings[@]}"
}

start() {
    local smtp='' reinject='' next_hop='' milter='' settings=()
    while [ $# -gt 0 ]; do
        case $1 in
        --smtp) smtp=$2 ;;
        --reinject) reinject=$2 ;;
        --next-hop) next_hop=$2 ;;
        --milter) milter=$2 ;;
        --set) settings+=("$2") ;;
        *) die "unknown option $1" ;;
        esac
        shift 2
    done
    [ -n "$smtp" ] && [ -n "$reinject" ] && [ -n "$next_hop" ] || die "--smtp, --reinject and --next-hop are needed"
    mkdir -p "$dir/queue" "$dir/data" "$dir/etc"
    chmod 755 "$dir" "$dir/queue" "$dir/etc"
    chown postfix "$dir/data"
    write_main_cf >"$dir/etc/main.cf"
    write_master_cf >"$dir/etc/master.cf"
    MAIL_CONFIG="$dir/etc" postfix -c "$dir/etc" start >"$dir/start.log" 2>&1 || {
        cat "$dir/start.log" >&2
        [ -f "$dir/postfix.log" ] && tail -5 "$dir/postfix.log" >&2
        die "Postfix did not start"
    }
    await_port "$smtp"
    await_port "$reinject"
}

await_port() {
    local try
    for try in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
            return
        fi
        sleep 0.1
    done
    tail -5 "$dir/postfix.log" >&2 || true
    die "nobody listens on port $1 after ten seconds"
}

# `postfix stop` signals the process named in this queue's own pid file, nobody else.
stop() {
    [ -f "$dir/etc/main.cf" ] || return 0
    postfix -c "$dir/etc" stop >"$dir/stop.log" 2>&1 || true
    local pid try
    pid=$(tr -dc 0-9 <"$dir/queue/pid/master.pid" 2>/dev/null || true)
    for try in $(seq 50); do
        [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = master ] || return 0
        sleep 0.1
    done
    die "Postfix (process $pid) did not stop within five seconds"
}

[ $# -ge 2 ] || die "usage: postfix.sh start|stop DIR [options]; see the head of this file"
command=$1
dir=$2
shift 2
need_postfix
case $command in
start) start "$@" ;;
stop) stop ;;
*) die "unknown command $command" ;;
esac
