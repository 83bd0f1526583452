#!/bin/bash
# The package's life on a Debian 12 of its own: installed, mail stopped, upgraded with that mail held, released, removed, purged.
# A root made with debootstrap is booted with its own systemd in its own namespaces (process, mount, network): the machine
# itself is not changed, nothing reaches the network after the root is made.
#
#   packaging/tests/deb.sh [PACKAGE.deb]      default: the newest in target/debian; the upgrade is to the same, one version on
#
# Run it as root; needs debootstrap, util-linux, dpkg-dev's dpkg-deb. The root is kept in CPR_DEB_ROOT for the next run
# (default /var/tmp/cpr-milter-deb-root, 400 MB).
set -euo pipefail
cd "$(dirname "$0")/../.."

base=${CPR_DEB_ROOT:-/var/tmp/cpr-milter-deb-root}
deb=${1:-$(ls -t target/debian/cpr-milter_*.deb | head -1)}
work=$(mktemp -d /tmp/cpr-milter-deb.XXXXXX)
root=$work/root
booted=''
failures=0

die() { echo "deb.sh: $*" >&2; exit 1; }
ok() { echo "ok    $*"; }
wrong() { echo "WRONG $*"; failures=$((failures + 1)); }
check() { # check WHAT COMMAND...: the command, inside, must succeed
    local what=$1
    shift
    if inside "$@" >"$work/out" 2>&1; then ok "$what"; else wrong "$what"; sed 's/^/      /' "$work/out"; fi
}

finish() {
    local status=$?
    [ -z "$booted" ] || kill -9 "$booted" 2>/dev/null || true
    [ $status = 0 ] || [ -z "$booted" ] || echo "deb.sh: the last lines inside: $(tail -5 "$work/out" 2>/dev/null)" >&2
    sleep 0.5
    umount -l "$root" "$work/upper" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

make_base() {
    [ ! -e "$base/made" ] || return 0
    echo "making $base (some minutes, once)"
    rm -rf "$base"
    mkdir -p "$base"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,postfix,iproute2,procps,ca-certificates bookworm \
        "$base/root" "${CPR_DEB_MIRROR:-http://deb.debian.org/debian}" >"$base/debootstrap.log" \
        || die "debootstrap failed: $(tail -3 "$base/debootstrap.log")"
    touch "$base/made"
}

# systemd wants to be the first process, a mount tree that passes mounts on (credentials are one), and cgroups.
boot() {
    mkdir -p "$root" "$work/upper" "$work/lower"
    mount -t tmpfs tmpfs "$work/upper"
    mkdir "$work/upper/up" "$work/upper/work"
    mount -t overlay overlay -o "lowerdir=$base/root,upperdir=$work/upper/up,workdir=$work/upper/work" "$root"
    cat >"$work/boot" <<BOOT
#!/bin/bash
set -e
mount --make-rprivate /
mount -t proc proc $root/proc
mount -t tmpfs -o mode=755 tmpfs $root/run
mount -t tmpfs -o mode=1777 tmpfs $root/tmp
mount -t sysfs sysfs $root/sys
mount -t cgroup2 none $root/sys/fs/cgroup
mount --rbind /dev $root/dev
cd $root
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
BOOT
    chmod +x "$work/boot"
    unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child "$work/boot" >"$work/boot.log" 2>&1 </dev/null &
    local parent=$! try
    for try in $(seq 100); do
        booted=$(pgrep -P "$parent" || true)
        [ -z "$booted" ] || ! [ -S "/proc/$booted/root/run/systemd/private" ] || break
        sleep 0.1
    done
    [ -n "$booted" ] || die "systemd did not start: $(cat "$work/boot.log")"
    inside systemctl is-system-running --wait >/dev/null || true
    inside ip link set lo up
}

inside() {
    nsenter -t "$booted" -m -u -i -n -p -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

put() { nsenter -t "$booted" -m -r -w sh -c "cat > '$1'"; }

# Postfix with the milter as the README says, everything delivered to a sink that keeps it.
set_up_postfix() {
    inside sh -ec '
        mkdir -p /var/tmp/outside && chown postfix /var/tmp/outside
        cat >>/etc/postfix/master.cf <<MASTER
127.0.0.1:10026 inet n - n - - smtpd
  -o smtpd_milters= -o mynetworks=127.0.0.0/8
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
MASTER
        cp -n /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
        postconf -e myhostname=mail.kommune.example mydestination= relayhost=[127.0.0.1]:2526 \
            smtpd_milters=unix:cpr-milter/milter.sock "non_smtpd_milters=\$smtpd_milters" milter_default_action=tempfail \
            inet_interfaces=loopback-only inet_protocols=ipv4 smtp_host_lookup=native maillog_file=/var/log/postfix.log \
            maillog_file_prefixes=/var compatibility_level=3.6 default_transport=smtp
        systemd-run -q --unit=sink smtp-sink -u postfix -d "/var/tmp/outside/%H%M%S." 127.0.0.1:2526 100
        systemctl restart postfix
    '
}

send() { # send SUBJECT BODY
    inside sh -ec 'printf "From: sagsbehandler@kommune.example\nTo: borger@post.example\nSubject: %s\n\n%s\n" "$1" "$2" |
        sendmail -f sagsbehandler@kommune.example borger@post.example' send "$@"
}

holds() { inside cpr-milter quarantine list --limit 0 2>/dev/null | grep -o '\<[a-z0-9]\{4\}\(-[a-z0-9]\{4\}\)\{3\}\>' || true; }
held() { holds | wc -l; }

eventually() { # eventually WHAT COMMAND...
    local what=$1 try
    shift
    for try in $(seq 150); do
        ! "$@" >"$work/out" 2>&1 || { ok "$what"; return; }
        sleep 0.2
    done
    wrong "$what"
    sed 's/^/      /' "$work/out"
}

delivered() { inside sh -c 'grep -l "^Subject: $1" /var/tmp/outside/* 2>/dev/null | grep -q .' delivered "$1"; }
has_held() { [ "$(held)" = "$1" ]; }

# A made-up number: built here, so that none stands in a file.
number() { printf '%02d%02d%02d-%04d' 7 6 61 "$((4000 + RANDOM % 900))"; }

next_version() {
    dpkg-deb -R "$deb" "$work/next"
    sed -i 's/^Version: .*/Version: 9.9.9-1/' "$work/next/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$work/next" "$work/next.deb" >/dev/null
    rm -rf "$work/next"
}

make_base
boot
put /root/first.deb <"$deb"
next_version
put /root/next.deb <"$work/next.deb"

check 'the package installs' dpkg -i /root/first.deb
eventually 'both services are up' inside systemctl is-active cpr-milter cpr-milter-courier
check 'the configuration is sound' cpr-milter config check
check 'the milter cannot read the private key' sh -c '! runuser -u cpr-milter -- cat /etc/cpr-milter/keys/store.key'
check 'the hash key is readable for root alone' sh -c '! runuser -u cpr-milter -- cat /etc/cpr-milter/keys/hash.key'
check 'the manual page and the completions are there' sh -c 'ls /usr/share/man/man8/cpr-milter.8.gz /usr/share/man/man5/cpr-milter.conf.5.gz /usr/share/bash-completion/completions/cpr-milter'
for unit in cpr-milter cpr-milter-courier; do
    exposure=$(inside systemd-analyze security "$unit" --no-pager 2>/dev/null | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    if awk -v e="${exposure:-10}" 'BEGIN { exit !(e <= 2.0) }'; then ok "$unit: exposure $exposure"; else wrong "$unit: exposure $exposure"; fi
done

set_up_postfix
send 'uden nummer' 'Mødet er på torsdag.'
eventually 'mail without a number passes' delivered 'uden nummer'
send 'med nummer' "Borgerens cpr-nr. er $(number)."
eventually 'mail with a number is held' has_held 1
if delivered 'med nummer'; then wrong 'it was delivered'; else ok 'and is not delivered'; fi

check 'a policy with a mistake does not replace the one in force' sh -c '
    cp /etc/cpr-milter/policies/municipality.yaml /root/good.yaml
    echo "  broken: [" >>/etc/cpr-milter/policies/municipality.yaml
    systemctl reload cpr-milter; sleep 1
    systemctl show -P StatusText cpr-milter | grep -q "last reload failed"
    cp /root/good.yaml /etc/cpr-milter/policies/municipality.yaml
    systemctl reload cpr-milter; sleep 1
    ! systemctl show -P StatusText cpr-milter | grep -q "last reload failed"'

# Restarts while mail comes in: the socket stays, nobody is refused.
inside sh -c ': >/var/log/postfix.log'
(for n in $(seq 40); do send "under genstart $n" 'Intet nummer her.'; done) &
sender=$!
for n in 1 2 3 4 5; do inside systemctl restart cpr-milter; sleep 0.3; done
wait $sender
eventually 'all 40 mails sent during five restarts arrive' inside sh -c '[ $(grep -l "^Subject: under genstart" /var/tmp/outside/* | wc -l) = 40 ]'
check 'and none was deferred or refused by the milter meanwhile' sh -c '! grep -i "milter-reject\|milter.*tempfail\|connect to Milter" /var/log/postfix.log'

keys_before=$(inside sha256sum /etc/cpr-milter/keys/store.key /etc/cpr-milter/keys/hash.key | sha256sum)
inside sh -c 'echo "# changed by the administrator" >>/etc/cpr-milter/cpr-milter.yaml'
check 'the package upgrades' dpkg -i /root/next.deb
eventually 'both services are up again' inside systemctl is-active cpr-milter cpr-milter-courier
[ "$keys_before" = "$(inside sha256sum /etc/cpr-milter/keys/store.key /etc/cpr-milter/keys/hash.key | sha256sum)" ] \
    && ok 'the keys are the same' || wrong 'the keys changed'
check 'the administrator'"'"'s change is kept' grep -q 'changed by the administrator' /etc/cpr-milter/cpr-milter.yaml
has_held 1 && ok 'the mail is still held' || wrong "held: $(held)"
id=$(holds | head -1)
check 'it is released' cpr-milter quarantine release "$id" --actor 'Anna Jensen' --reason 'prøve af pakken'
eventually 'and arrives' delivered 'med nummer'
check 'the audit trail is whole' cpr-milter audit verify
send 'med nummer igen' "Cpr-nr. $(number)."
eventually 'the new version holds mail' has_held 2

check 'an upgrade over a broken configuration leaves the running milter alone' sh -c '
    before=$(systemctl show -P MainPID cpr-milter)
    echo "typo: 1" >>/etc/cpr-milter/cpr-milter.yaml
    dpkg -i /root/next.deb 2>&1 | grep -q "not (re)started because of the above"
    after=$(systemctl show -P MainPID cpr-milter)
    sed -i "\$d" /etc/cpr-milter/cpr-milter.yaml
    [ "$before" = "$after" ] && systemctl is-active cpr-milter'

check 'the removal warns that Postfix still names the filter' sh -c 'dpkg -r cpr-milter 2>&1 | tee /dev/stderr | grep -q "still names this filter"'
check 'held mail outlives the removal' test -e /var/lib/cpr-milter/store.db -a -e /etc/cpr-milter/keys/store.key
inside dpkg -i /root/next.deb >/dev/null 2>&1
has_held 2 && ok 'a new installation takes it up' || wrong "held after a new installation: $(held)"
check 'purging without an answer keeps held mail' sh -c 'dpkg -P cpr-milter && test -e /var/lib/cpr-milter/store.db -a -e /etc/cpr-milter/keys/store.key'
inside dpkg -i --force-confmiss /root/next.deb >/dev/null 2>&1
inside sh -c 'echo "cpr-milter cpr-milter/purge-held boolean true" | debconf-set-selections'
check 'purging with the answer yes destroys it' sh -c 'dpkg -P cpr-milter && ! test -e /var/lib/cpr-milter && ! test -e /etc/cpr-milter/keys'

[ $failures = 0 ] || { echo "$failures wrong"; exit 1; }
echo 'all well'
