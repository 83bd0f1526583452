#!/usr/bin/env python3
"""Makes the RTF, legacy Office, Outlook and winmail.dat files beside this file, one place and one invented number a file, and writes
`legacy.tsv`: file, number, place, hidden, fake redaction, doubts, what redaction gives.

    python3 -m venv venv && venv/bin/pip install xlwt pyxlsbwriter aspose-email-foss compressed-rtf msoffcrypto-tool
    apt-get install --no-install-recommends libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui python3-uno
    venv/bin/python make_legacy.py

`lo`: saved by LibreOffice from a file that make.py made, whose number it keeps. `px`: pyxlsbwriter. `hand`: RTF written out here, each a way in which some
program writes or hides text. `xw`: xlwt. `as`: aspose-email-foss (Outlook messages; objects put into a file that LibreOffice saved).
`own`: TNEF by the writer below, since no free program writes it. Presentations are gzipped: LibreOffice fills them with 600 kB of zeros."""

import gzip
import io
import pathlib
import struct
import subprocess
import sys
import tempfile

import msoffcrypto
import xlwt
from aspose.email_foss import cfb, msg
from compressed_rtf import compress
from pyxlsbwriter import XlsbWriter

HERE = pathlib.Path(__file__).parent
ROWS = []
COUNT = 0


def number(plain=False):
    """An invented number with modulus 11, another one each time."""
    global COUNT
    COUNT += 1
    date = f"{COUNT * 11 % 27 + 1:02}{COUNT * 7 % 12 + 1:02}{40 + COUNT * 13 % 59:02}"
    for serial in range(COUNT * 41 % 3000 + 300, 3999):
        digits = f"{date}{serial:04}"
        if sum(int(d) * w for d, w in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))) % 11 == 0:
            return digits if plain else f"{date}-{serial:04}"
    raise SystemExit("no serial")


def expect(name, cpr, place, hidden=False, fake=False, doubts="-", redact="refused"):
    digits = "".join(c for c in cpr if c.isdigit())
    ROWS.append((name, digits, place, "hidden" if hidden else "shown", "fake" if fake else "-", doubts, redact))


def write(name, data):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


# --- RTF written out -------------------------------------------------------------------------------------------------------------

HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset128 MS Gothic;}"
    r"{\f2\fnil\fcharset2 Symbol;}}{\colortbl;\red255\green255\blue255;\red0\green0\blue0;}"
)


def rtf(name, body, cpr, place="text", hidden=False, fake=False, doubts="-", redact="clean", head=HEAD, tail="}"):
    write(f"rtf/{name}-hand.rtf", (head + body + tail).encode("latin-1"))
    expect(f"rtf/{name}-hand.rtf", cpr, place, hidden, fake, doubts, redact)


def make_rtf():
    n = number()
    rtf("plain", rf"\pard Sagen om {n} er afsluttet.\par", n)
    n = number()
    rtf("runs", rf"\pard CPR-nr. {{\b {n[:2]}}}{{\i\insrsid123 {n[2:5]}}}\lang1030 {n[5:8]}\rtlch\fcs1 {n[8:]}\par", n)
    n = number()
    rtf("lines", "\\pard CPR-nr. " + "\r\n".join(n) + "\\par", n)
    n = number()
    rtf("hex", r"\pard CPR-nr. " + "".join(f"\\'{ord(c):02x}" for c in n) + r"\par", n)
    n = number()
    rtf("hex-bold", r"\pard CPR-nr.\b" + "".join(f"\\'{ord(c):02x}\\b" for c in n) + r"\par", n)
    n = number()
    rtf("unicode", r"\pard CPR-nr. " + "".join(f"\\u{ord(c)}?" for c in n) + r"\par", n)
    n = number()
    rtf("unicode-no-fallback", r"\pard\uc0 CPR-nr. " + "".join(f"\\u{ord(c)} " for c in n) + r"\par", n)
    n = number()
    rtf("unicode-long-fallback", r"\pard\uc4 CPR-nr. " + "".join(f"\\u{ord(c)} \\'3f??x" for c in n) + r"\par", n)
    n = number()
    rtf("full-width", r"\pard CPR-nr. " + "".join(f"\\u{ord(c) + 0xFEE0 - 0x10000}?" for c in n) + r"\par", n)
    n = number()
    wide = "".join(f"\\'82\\'{0x4F + int(c):02x}" if c.isdigit() else c for c in n)
    rtf("shift-jis", rf"\pard CPR-nr. {{\f1 {wide}}}\par", n)
    n = number()
    rtf("symbol-font", r"\pard CPR-nr. {\f2 " + "".join(f"\\u{0xF000 + ord(c) - 0x10000}?" for c in n) + r"}\par", n)
    n = number()
    rtf("signs", rf"\pard CPR-nr. {n[:6]}\endash {n[7:]}\par", n)
    n = number()
    rtf("no-break-hyphen", rf"\pard CPR-nr. {n[:6]}\_{n[7:]}\par", n)
    n = number()
    rtf("hidden", rf"\pard Sagen er lukket.{{\v  CPR-nr. {n}}}\par", n, "hidden text", True)
    n = number()
    rtf("half-hidden", rf"\pard CPR-nr. {n[:5]}{{\v {n[5:]}}} er lukket.\par", n, "hidden text", True)
    n = number()
    rtf("hidden-between", rf"\pard CPR-nr. {n[:5]}{{\v skjult}}{n[5:]} er lukket.\par", n)
    n = number()
    rtf("white", rf"\pard Sagen.{{\cf1  CPR-nr. {n}}}\par", n, "hidden text", True)
    n = number()
    rtf("black", rf"\pard Sagen om {{\highlight2\cf2 CPR-nr. {n}}} er lukket.\par", n, "text", True, True)
    n = number()
    rtf("tiny", rf"\pard Sagen.{{\fs2  CPR-nr. {n}}}\par", n, "hidden text", True)
    n = number()
    rtf("deleted", rf"\pard Sagen {{\deleted\revauthdel1\revdttmdel1 om CPR-nr. {n} }}er lukket.\par", n, "tracked change", True)
    n = number()
    rtf("field-code", rf'\pard {{\field{{\*\fldinst HYPERLINK "https://sag.example/?cpr={n}"}}{{\fldrslt her}}}}\par', n, "field code", True)
    n = number()
    rtf("field-result", rf'\pard CPR-nr. {{\field{{\*\fldinst QUOTE x}}{{\fldrslt {n}}}}}\par', n)
    n = number()
    rtf("footnote", rf"\pard Sagen{{\super\chftn}}{{\footnote\pard\chftn  CPR-nr. {n}}} er lukket.\par", n, "footnote 1")
    n = number()
    rtf("endnote", rf"\pard Sagen{{\super\chftn}}{{\footnote\ftnalt\pard\chftn  CPR-nr. {n}}} er lukket.\par", n, "endnote 1")
    n = number()
    rtf("annotation", rf"\pard Sagen{{\*\atnid IH}}{{\*\atnauthor Ida}}\chatn{{\*\annotation\pard CPR-nr. {n}}}.\par", n, "comment")
    n = number()
    rtf("info-title", rf"{{\info{{\title CPR-nr. {n}}}{{\author Ida}}}}\pard Sagen.\par", n, "property title", True)
    n = number()
    rtf("own-property", rf"{{\*\userprops{{\propname Borger}}\proptype30{{\staticval CPR-nr. {n}}}}}\pard Sagen.\par", n, "property own properties", True)
    n = number()
    rtf("variable", rf"{{\*\docvar {{Borger}}{{CPR-nr. {n}}}}}\pard Sagen.\par", n, "document settings", True)
    n = number()
    rtf("bookmark", rf"\pard {{\*\bkmkstart CPR_{n}}}Sagen{{\*\bkmkend CPR_{n}}}.\par", n, "style or bookmark name", True)
    n = number()
    rtf("table", rf"\trowd\cellx2000\cellx4000 CPR-nr.\intbl\cell {n}\cell\row\pard\par", n)
    n = number()
    rtf("unknown-destination", rf"{{\*\nyhed2031 CPR-nr. {n}}}\pard Sagen.\par", n, "data shown nowhere", True)
    n = number()
    rtf("shape-text", rf"\pard{{\shp{{\*\shpinst{{\sp{{\sn shapeType}}{{\sv 202}}}}{{\shptxt CPR-nr. {n}\par}}}}}}\par", n, "text box")
    n = number()
    rtf("alternative-text", rf"\pard{{\shp{{\*\shpinst{{\sp{{\sn wzDescription}}{{\sv CPR-nr. {n}}}}}}}}}\par", n, "alternative text")
    n = number()
    rtf("behind", r"\pard Sagen.\par", n, "outside all parts", True, tail="}\r\nCPR-nr. " + n)
    n = number()
    rtf("cut", rf"\pard Sagen om CPR-nr. {n} er {{\b luk", n, doubts="broken", redact="refused", tail="")
    n = number()
    inner = rf"{{\rtf1 CPR-nr. {n}}}".encode()
    data = struct.pack("<III", 0x501, 2, 12) + b"WordPad.Rtf\0" + struct.pack("<III", 0, 0, len(inner)) + inner
    rtf("object", rf"\pard{{\object\objemb{{\*\objclass WordPad.Rtf}}{{\*\objdata {data.hex()}}}{{\result x}}}}\par", n, redact="refused")
    n = number()
    inner = f"CPR-nr. {n}\r\n".encode()
    package = b"\x02\0notat.txt\0C:\\notat.txt\0" + struct.pack("<HHI", 0, 3, 13) + b"C:\\notat.txt\0\0"[:13] + struct.pack("<I", len(inner)) + inner
    data = struct.pack("<III", 0x501, 2, 8) + b"Package\0" + struct.pack("<III", 0, 0, len(package)) + package
    rtf("package", rf"\pard{{\object\objemb{{\*\objdata {data.hex()}}}}}\par", n, redact="refused")
    rtf("none", r"\pard Sagen 2026-001234 kostede 1.234.567,89 kr. Ring 12 34 56 78.\par{\*\rsidtbl\rsid0101901234\rsid12345678}", "", redact="same")


# --- saved by LibreOffice --------------------------------------------------------------------------------------------------------

FROM_DOCX = {
    # source: (place or None for the same as in the source, in RTF; in DOC)
    "body-py": (None, None), "split-py": (None, None), "table-py": (None, None), "header-py": (None, None),
    "footer-py": (None, None), "footnote-py": ("footnote 1", "footnote 1"), "endnote-py": ("endnote 1", "endnote 1"),
    "comment-py": (None, None), "deleted-py": (None, None), "vanish-py": (None, None), "white-py": (None, None),
    "black-py": (None, None), "field-code-py": (None, None), "link-py": ("field code", "field code"),
    "textbox-py": (None, None), "property-title-py": (None, None), "custom-property-py": ("property own properties", None),
    "none-py": (None, None), "inserted-py": (None, None), "tooltip-py": ("field code", "field code"),
    "symbol-py": (None, None), "deleted-half-py": (None, None),
}
FROM_XLSX = [
    "string-py", "number-format-hyphen-py", "number-format-zeros-py", "number-heading-py", "comment-py", "hidden-sheet-py",
    "very-hidden-sheet-py", "hidden-column-py", "hidden-row-py", "white-py", "sheet-name-py", "defined-name-py", "page-header-py",
    "validation-py", "link-py", "rich-py", "property-py", "chart-title-py", "formula-py", "split-py", "split-numbers-py", "none-py",
    "textbox-xw", "conditional-xw",
]
FROM_PPTX = ["title-py", "body-py", "second-py", "notes-py", "hidden-py", "comment-py", "table-py", "link-py", "property-py", "none-py", "group-py"]


def office(*arguments):
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", *arguments], check=True, stdout=subprocess.DEVNULL
        )


def source_rows():
    rows = {}
    for line in (HERE / "expected.tsv").read_text().splitlines():
        if not line.startswith("#"):
            name, digits, place, hidden, _ = line.split("\t")
            rows[name] = (digits, place, hidden == "hidden")
    return rows


def convert(kind, names, folder, target, places, pack=False):
    rows = source_rows()
    names = [name for name in names if f"{folder}/{name}.{folder}" in rows]
    with tempfile.TemporaryDirectory() as out:
        office("--convert-to", target, "--outdir", out, *[str(HERE / folder / f"{name}.{folder}") for name in names])
        for name in names:
            data = (pathlib.Path(out) / f"{name}.{target}").read_bytes()
            file = f"{kind}/{name.rsplit('-', 1)[0]}-lo.{target}" + (".gz" if pack else "")
            write(file, gzip.compress(data, mtime=0) if pack else data)
            digits, place, hidden = rows[f"{folder}/{name}.{folder}"]
            place, hidden, fake, doubts, redact = places(name, place, hidden)
            expect(file, digits, place if digits else "-", hidden and bool(digits), fake, doubts, redact)


HIDDEN = ("property", "field code", "tracked", "hidden", "defined", "data", "source", "alternative")


def make_office():
    def in_rtf(name, place, hidden):
        place = FROM_DOCX[name][0] or place
        doubts = "unread" if name == "none-py" else "-"
        redact = "same" if name == "none-py" else "clean"
        return place, hidden or place.startswith(HIDDEN), name == "black-py", doubts, redact

    def in_doc(name, place, hidden):
        place = FROM_DOCX[name][1] or place
        doubts = "unread" if name == "none-py" else "-"
        redact = "same" if name == "none-py" else "refused"
        return place, hidden or place.startswith(HIDDEN), name == "black-py", doubts, redact

    def plain(name, place, hidden):
        doubts = "unread" if name in PICTURED else "-"
        return place, hidden, False, doubts, "same" if name == "none-py" else "refused"

    convert("rtf", FROM_DOCX, "docx", "rtf", in_rtf)
    convert("doc", FROM_DOCX, "docx", "doc", in_doc)
    convert("xls", FROM_XLSX, "xlsx", "xls", plain)
    convert("ppt", FROM_PPTX, "pptx", "ppt", plain, pack=True)


PICTURED = set()


# --- objects in compound files, and what is encrypted ----------------------------------------------------------------------------


def opened(name):
    data = (HERE / name).read_bytes()
    return cfb.CFBDocument.from_reader(cfb.CFBReader(data))


def make_compound():
    n = number()
    book = xlwt.Workbook()
    book.add_sheet("Borgere").write(0, 0, f"CPR-nr. {n}")
    raw = io.BytesIO()
    book.save(raw)
    inner = cfb.CFBDocument.from_reader(cfb.CFBReader(raw.getvalue()))
    outer = opened("doc/none-lo.doc")
    pool = outer.root.add_storage(cfb.CFBStorage(name="ObjectPool"))
    held = pool.add_storage(cfb.CFBStorage(name="_1234567890"))
    for child in inner.root.children:
        held.children.append(child)
    write("doc/object-as.doc", cfb.CFBWriter.to_bytes(outer))
    expect("doc/object-as.doc", n, "sheet Borgere, cell A1", doubts="unread")

    n = number()
    document = cfb.CFBDocument.from_reader(cfb.CFBReader((HERE / "xls/none-lo.xls").read_bytes()))
    held = document.root.add_storage(cfb.CFBStorage(name="MBD00012345"))
    text = f"CPR-nr. {n}".encode()
    native = b"\x02\0notat.txt\0C:\\notat.txt\0" + struct.pack("<HHI", 0, 3, 13) + b"C:\\notat.txt\0\0"[:13] + struct.pack("<I", len(text)) + text
    held.add_stream(cfb.CFBStream(name="\x01Ole10Native", data=struct.pack("<I", len(native)) + native))
    write("xls/package-as.xls", cfb.CFBWriter.to_bytes(document))
    expect("xls/package-as.xls", n, "text")

    n = number()
    document = opened("xls/none-lo.xls")
    document.root.add_stream(cfb.CFBStream(name="Udklip", data=f"CPR-nr. {n}".encode("utf-16-le")))
    write("xls/stray-stream-as.xls", cfb.CFBWriter.to_bytes(document))
    expect("xls/stray-stream-as.xls", n, "source", True)

    n = number()
    raw = (HERE / "doc/none-lo.doc").read_bytes()
    write("doc/slack-as.doc", raw + f"CPR-nr. {n} ".encode().ljust(512, b"\0"))
    expect("doc/slack-as.doc", n, "source", True, doubts="unread")

    locked = io.BytesIO()
    with open(HERE / "docx/body-py.docx", "rb") as plain:
        msoffcrypto.OfficeFile(plain).encrypt("hemmelig", locked)
    write("doc/encrypted-ooxml.docx", locked.getvalue())
    expect("doc/encrypted-ooxml.docx", "", "-", doubts="encrypted", redact="refused")
    lock("doc/body-lo.doc", "doc/encrypted-lo.doc", "MS Word 97")
    lock("xls/string-lo.xls", "xls/encrypted-lo.xls", "MS Excel 97")


def lock(source, target, kind):
    """Saved with a password through LibreOffice's own Python."""
    script = f"""
import subprocess, time, uno
from com.sun.star.beans import PropertyValue
def value(name, v):
    p = PropertyValue(); p.Name = name; p.Value = v; return p
resolver = uno.getComponentContext().ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
for _ in range(120):
    try:
        context = resolver.resolve("uno:pipe,name=legacy;urp;StarOffice.ComponentContext"); break
    except Exception: time.sleep(0.5)
desktop = context.ServiceManager.createInstance("com.sun.star.frame.Desktop")
d = desktop.loadComponentFromURL("file://{HERE / source}", "_blank", 0, (value("Hidden", True),))
d.storeToURL("file://{HERE / target}", (value("FilterName", "{kind}"), value("Password", "hemmelig")))
d.close(True)
try: desktop.terminate()
except Exception: pass
"""
    with tempfile.TemporaryDirectory() as profile:
        office = subprocess.Popen(
            ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--accept=pipe,name=legacy;urp;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        # The client may crash when the office that it talks to ends; the file is what counts.
        subprocess.run(["/usr/bin/python3", "-c", script])
        office.wait(60)
    if not (HERE / target).exists():
        raise SystemExit(f"{target} was not saved")
    expect(target, "", "-", doubts="encrypted", redact="refused")


# --- xlwt ------------------------------------------------------------------------------------------------------------------------


def xls(name, fill, cpr, place, hidden=False, redact="refused"):
    book = xlwt.Workbook()
    fill(book)
    raw = io.BytesIO()
    book.save(raw)
    write(f"xls/{name}-xw.xls", raw.getvalue())
    expect(f"xls/{name}-xw.xls", cpr, place, hidden, redact=redact)


def make_xlwt():
    n = number()
    xls("string", lambda b: b.add_sheet("Borgere").write(2, 1, n), n, "sheet Borgere, cell B3")
    n = number(plain=True)
    while n[0] == "0":
        n = number(plain=True)

    def numeric(book):
        sheet = book.add_sheet("Borgere")
        sheet.write(0, 0, "CPR-nr.")
        sheet.write(1, 0, int(n))

    xls("number", numeric, n, "sheet Borgere, cell A2")
    m = number()

    def many(book):
        sheet = book.add_sheet("Borgere")
        for row in range(700):
            sheet.write(row, 0, f"Række {row:04} med en tekst, der fylder så meget, at tabellen fortsætter i næste post — 空")
        sheet.write(700, 0, f"CPR-nr. {m}")

    xls("continued", many, m, "sheet Borgere, cell A701")
    f = number()

    def formula(book):
        book.add_sheet("Borgere").write(0, 0, xlwt.Formula(f'IF(1=2;"CPR-nr. {f}";"")'))

    xls("formula-text", formula, f, "sheet Borgere, formula in A1", True)


def xlsb(name, sheets, cpr, place, hidden=False, redact="refused"):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bog.xlsb"
        with XlsbWriter(str(path), compressionLevel=6) as book:
            for title, gone, rows in sheets:
                book.add_sheet(title, hidden=gone)
                book.write_sheet(rows)
        write(f"xlsb/{name}-px.xlsb", path.read_bytes())
    expect(f"xlsb/{name}-px.xlsb", cpr, place, hidden, redact=redact)


def make_xlsb():
    n = number()
    xlsb("string", [("Borgere", False, [["Navn", "CPR-nr."], ["Ida", n]])], n, "sheet Borgere, cell B2")
    n = "0"
    while n[0] == "0":
        n = number(plain=True)
    xlsb("number", [("Borgere", False, [["CPR-nr."], [int(n)]])], n, "sheet Borgere, cell A2")
    n = number()
    xlsb("hidden-sheet", [("Borgere", False, [["Navn"]]), ("Gemt", True, [[f"CPR-nr. {n}"]])], n, "hidden sheet Gemt, cell A1", True)
    n = number()
    xlsb("sheet-name", [(f"CPR {n}", False, [["Navn"]])], n, "sheet name")
    xlsb("none", [("Borgere", False, [["Sag", "2026-001234"], ["Beløb", 1234567]])], "", "-", redact="same")


# --- Outlook ---------------------------------------------------------------------------------------------------------------------


def outlook(name, fill, cpr, place, hidden=False, unicode_strings=True, doubts="-", redact="refused"):
    message = msg.MapiMessage.create("Sagen", "Se vedlagte.", unicode_strings=unicode_strings)
    message.set_property(msg.PropertyId.SENDER_NAME, "Ida Hansen")
    message.add_recipient("bo@post.example", display_name="Bo")
    fill(message)
    write(f"msg/{name}-as.msg", message.to_bytes())
    expect(f"msg/{name}-as.msg", cpr, place, hidden, doubts=doubts, redact=redact)


def make_msg():
    n = number()
    outlook("body", lambda m: setattr(m, "body", f"CPR-nr. {n}"), n, "text")
    a = number()
    outlook("ansi", lambda m: setattr(m, "body", f"Så er CPR-nr. {a} på plads"), a, "text", unicode_strings=False)
    s = number()
    outlook("subject", lambda m: setattr(m, "subject", f"Vedr. CPR-nr. {s}"), s, "header Subject")
    h = number()
    outlook("html", lambda m: setattr(m, "body_html", f"<p>CPR-nr. {h[:3]}<b>{h[3:]}</b></p>"), h, "text")
    r = number()
    packed = compress(rf"{{\rtf1\ansi\fromtext CPR-nr. {r[:6]}{{\b {r[6:]}}}\par}}".encode(), compressed=True)
    outlook("rtf", lambda m: m.set_property(0x1009, 0x102, packed), r, "text")
    e = number()
    outlook("header", lambda m: m.set_property(0x007D, 0x1F, f"From: Ida <ida@post.example>\r\nX-Borger: =?utf-8?q?CPR-nr._{e}?=\r\n"), e, "header X-Borger")
    t = number()
    outlook("recipient", lambda m: m.add_recipient("x@post.example", display_name=f"Bo CPR-nr. {t}"), t, "display name in To")
    f = number()
    outlook("attachment", lambda m: m.add_attachment("notat.txt", f"CPR-nr. {f}".encode(), mime_type="text/plain"), f, "text")
    g = number()
    outlook("attachment-name", lambda m: m.add_attachment(f"CPR {g}.txt", b"Sagen", mime_type="text/plain"), g, "file name")
    k = number()

    def nested(message):
        inner = msg.MapiMessage.create("Indre", "Se vedlagte.")
        inner.add_attachment("notat.txt", f"CPR-nr. {k}".encode(), mime_type="text/plain")
        message.add_embedded_message_attachment(inner)

    outlook("nested", nested, k, "text")
    d = number()
    doc = (HERE / "doc/none-lo.doc").read_bytes()
    outlook("large", lambda m: (setattr(m, "body", ("Fyld. " * 9000) + f"CPR-nr. {d}"), m.add_attachment("sag.doc", doc)), d, "text", doubts="unread")
    p = number()

    def named(message):
        message.set_named_property(msg.MapiNamedProperty.string("Borger"), 0x1F, f"CPR-nr. {p}")

    outlook("named", named, p, "property 0x8000", True)
    outlook("none", lambda m: None, "", "-", redact="same")


# --- winmail.dat -----------------------------------------------------------------------------------------------------------------


def attribute(level, identifier, data):
    return struct.pack("<BII", level, identifier, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def padded(data):
    return struct.pack("<I", len(data)) + data + b"\0" * (-len(data) % 4)


def properties(*values):
    out = struct.pack("<I", len(values))
    for tag, value in values:
        kind = tag & 0xFFFF
        out += struct.pack("<HH", kind, tag >> 16)
        if tag >> 16 >= 0x8000:
            out += bytes(16) + struct.pack("<I", 1) + padded("Borger\0".encode("utf-16-le"))
        out += struct.pack("<I", value) if kind == 3 else struct.pack("<I", 1) + padded(value)
    return out


def tnef(*attributes):
    return struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000)) + b"".join(attributes)


def attached(name, data, *more):
    return (
        attribute(2, 0x00069002, bytes(14))
        + attribute(2, 0x00018010, name.encode() + b"\0")
        + attribute(2, 0x0006800F, data)
        + attribute(2, 0x00069005, properties((0x3707001F, (name + "\0").encode("utf-16-le")), (0x37050003, 1), *more))
    )


def winmail(name, data, cpr, place, hidden=False, doubts="-", redact="refused"):
    write(f"tnef/{name}-own.dat", data)
    expect(f"tnef/{name}-own.dat", cpr, place, hidden, doubts=doubts, redact=redact)


def make_tnef():
    n = number()
    winmail("attachment", tnef(attached("notat.txt", f"CPR-nr. {n}".encode())), n, "text")
    n = number()
    winmail("attachment-name", tnef(attached(f"CPR {n}.txt", b"Sagen")), n, "file name")
    n = number()
    winmail("body", tnef(attribute(1, 0x0002800C, f"CPR-nr. {n}\0".encode())), n, "text")
    n = number()
    packed = compress(rf"{{\rtf1\ansi CPR-nr. {n}\par}}".encode(), compressed=True)
    winmail("rtf", tnef(attribute(1, 0x00069003, properties((0x00170003, 1), (0x10090102, packed)))), n, "text")
    n = number()
    winmail("html", tnef(attribute(1, 0x00069003, properties((0x10130102, f"<p>CPR-nr. {n}</p>".encode())))), n, "text")
    n = number()
    winmail("subject", tnef(attribute(1, 0x00069003, properties((0x0037001F, f"CPR-nr. {n}\0".encode("utf-16-le"))))), n, "header Subject")
    n = number()
    winmail("named", tnef(attribute(1, 0x00069003, properties((0x8001001E, f"CPR-nr. {n}\0".encode())))), n, "property Borger", True)
    n = number()
    row = struct.pack("<I", 1) + properties((0x3001001E, f"Bo CPR-nr. {n}\0".encode()))
    winmail("recipient", tnef(attribute(1, 0x00069004, row)), n, "display name in To")
    n = number()
    inner = tnef(attached("notat.txt", f"CPR-nr. {n}".encode()))
    nested = bytes(16) + inner
    outer = attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"Indre\0") + attribute(2, 0x00069005, properties((0x3701000D, nested)))
    winmail("nested", tnef(outer), n, "text")
    n = number()
    winmail("cut", tnef(attribute(1, 0x0002800C, f"CPR-nr. {n}\0".encode()), attached("notat.txt", b"x" * 400))[:-200], n, "text", doubts="broken,unread")
    winmail("none", tnef(attached("notat.txt", b"Sagen 2026-001234")), "", "-", redact="same")


def main():
    make_rtf()
    make_office()
    make_xlwt()
    make_compound()
    make_msg()
    make_tnef()
    make_xlsb()
    lines = ["# file\tdigits\tplace\thidden\tfake redaction\tdoubts\tredaction"]
    lines += ["\t".join(row) for row in ROWS]
    (HERE / "legacy.tsv").write_text("\n".join(lines) + "\n")


main()
