#!/usr/bin/env python3
"""Opens redacted documents with the programs they belong to:

    CPR_OFFICE_OUT=/tmp/out cargo test --test document office::redaction
    venv/bin/python tests/data/documents/check.py /tmp/out

python-docx, openpyxl, python-pptx and odfpy must load them, LibreOffice must convert them, and every word of the original must
still be in LibreOffice's text of it, except the number's own."""

import pathlib
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile

import docx
import openpyxl
import pptx
from lxml import etree
from odf.opendocument import load

HERE = pathlib.Path(__file__).parent
FILTER = {"docx": "txt:Text", "dotx": "txt:Text", "odt": "txt:Text", "fodt": "txt:Text", "xml": "txt:Text", "xlsx": "csv", "xltx": "csv", "ods": "csv", "pptx": "pdf", "odp": "pdf"}


def opens(path):
    kind = path.suffix[1:]
    if kind in ("fodt", "xml"):
        etree.parse(str(path))
        return
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        for name in z.namelist():
            if name.endswith((".xml", ".rels")) and z.getinfo(name).file_size:
                etree.fromstring(z.read(name))
    if kind == "docx":
        docx.Document(str(path))
    elif kind == "xlsx":
        openpyxl.load_workbook(path)
    elif kind == "pptx":
        pptx.Presentation(str(path))
    elif kind in ("odt", "ods", "odp"):
        load(str(path))


def converted(paths, to, out):
    """LibreOffice's own reading of the files, by name."""
    profile = f"-env:UserInstallation=file://{out}/profile"
    subprocess.run(["soffice", profile, "--headless", "--convert-to", to, "--outdir", out, *map(str, paths)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def words(text):
    return [w for w in re.findall(r"\w+", text) if not re.search(r"\d", w) and not set(w) <= {"X"}]


def main(redacted):
    warnings.simplefilter("ignore")
    bad = []
    files = sorted(p for p in redacted.rglob("*") if p.is_file())
    for path in files:
        try:
            opens(path)
        except Exception as error:
            bad.append(f"{path}: {type(error).__name__} {str(error)[:80]}")
    for kind in sorted({p.suffix[1:] for p in files}):
        group = [p for p in files if p.suffix[1:] == kind]
        to = FILTER[kind]
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            converted(group, to, one)
            if to != "pdf":
                converted([HERE / p.relative_to(redacted) for p in group], to, two)
            for path in group:
                name = f"{path.stem}.{to.split(':')[0]}"
                after = pathlib.Path(one) / name
                if not after.exists():
                    bad.append(f"{path}: LibreOffice does not convert it")
                elif to != "pdf":
                    before = words((pathlib.Path(two) / name).read_text(errors="replace"))
                    now = words(after.read_text(errors="replace"))
                    if before != now:
                        bad.append(f"{path}: words differ {[w for w in before if w not in now][:5]} {[w for w in now if w not in before][:5]}")
    print(len(files), "files,", len(bad), "bad")
    print("\n".join(bad))
    sys.exit(bool(bad))


main(pathlib.Path(sys.argv[1]))
