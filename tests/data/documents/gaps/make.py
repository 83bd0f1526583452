#!/usr/bin/env python3
"""Makes the samples of this folder, and `expected.tsv`: places and formats that were once read past, one invented number a file.

    python3 -m venv venv && venv/bin/pip install reportlab pymupdf Pillow img2pdf python-docx python-pptx XlsxWriter
    apt-get install --no-install-recommends fonts-dejavu-core ghostscript groff chromium p7zip-full libarchive-tools ncompress gcab lzop genisoimage openssl
    venv/bin/python make.py

Columns: file, digits, place, hidden, least confidence, doubts, redacted (as in `../archives`)."""

import base64
import binascii
import io
import pathlib
import random
import sqlite3
import subprocess
import tempfile
import zipfile

import docx
import img2pdf
import pptx
import pptx.dml.color
import xlsxwriter
from docx.oxml import parse_xml
import pymupdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

HERE = pathlib.Path(__file__).parent
RANDOM = random.Random(20261125)
ROWS = []
TEXT = "Borgeren har henvendt sig om støtte, og sagen behandles efter gældende regler i loven."


def number():
    """An invented number with modulus 11."""
    while True:
        digits = "%02d%02d%02d%04d" % (RANDOM.randint(1, 28), RANDOM.randint(1, 12), RANDOM.randint(40, 99), RANDOM.randint(1, 3999))
        if sum(int(d) * w for d, w in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))) % 11 == 0:
            return digits


def dash(digits):
    return digits[:6] + "-" + digits[6:]


def row(name, data, digits, place, hidden="shown", least="likely", doubts="", redacted="refused"):
    (HERE / name).write_bytes(data)
    ROWS.append((name, digits, place, hidden, least, doubts, redacted))


def run(*command, data=None, cwd=None):
    return subprocess.run(command, input=data, cwd=cwd, capture_output=True, check=True).stdout


def page(lines, size=(1240, 1754), points=32):
    """Text as a scanner sees it."""
    picture = Image.new("L", size, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", points)
    for line, text in enumerate(lines):
        draw.text((size[0] // 12, size[1] // 14 + line * points * 2), text, fill="black", font=font)
    return picture


def lines(digits):
    return ["Borger Karen Jensen", "CPR-nr. " + dash(digits), "Eksempelvej 1"]


def saved(picture, kind, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def letter(draw):
    """A page with text, and what `draw` adds."""
    data = io.BytesIO()
    paper = canvas.Canvas(data, pagesize=(595, 842), invariant=1)
    for line in range(5):
        paper.drawString(60, 790 - 15 * line, TEXT)
    draw(paper)
    paper.showPage()
    paper.save()
    return data.getvalue()


OCR = "text in the picture, read by OCR"


def pictures_in_pdf():
    for name, size, place in [("beside-text", (1200, 800), (60, 100, 400, 266)), ("wide", (1400, 300), (60, 200, 480, 103))]:
        digits = number()
        picture = ImageReader(page(lines(digits), size))
        row("pdf-picture-%s.pdf" % name, letter(lambda paper: paper.drawImage(picture, *place)), digits, OCR)
    digits = number()
    inline = page(lines(digits), (600, 300), 28).convert("RGB")
    row("pdf-picture-inline.pdf", letter(lambda paper: paper.drawInlineImage(inline, 60, 100, 400, 200)), digits, OCR)
    digits = number()
    whole = page(["Sag om", *lines(digits), *["Mere tekst i sagen her"] * 12])

    def strips(paper):
        # The middle of a line is the edge of a strip.
        at = 0
        for height in [125 + 64 + 64 + 18, 400, 1754 - 671]:
            strip = whole.crop((0, at, 1240, at + height))
            points = height * 842 / 1754
            paper.drawImage(ImageReader(strip), 0, 842 - at * 842 / 1754 - points, 595, points)
            at += height

    data = io.BytesIO()
    paper = canvas.Canvas(data, pagesize=(595, 842), invariant=1)
    strips(paper)
    paper.showPage()
    paper.save()
    row("pdf-scan-strips.pdf", data.getvalue(), digits, OCR)
    layout = img2pdf.get_layout_fun((595, 842))
    scans = {
        "jpeg2000": lambda picture: saved(picture, "JPEG2000"),
        "palette": lambda picture: saved(picture.convert("P"), "PNG"),
        "turned": lambda picture: saved(picture.rotate(90, expand=True), "PNG"),
    }
    for name, pack in scans.items():
        digits = number()
        picture = page(lines(digits) + ["Tekst i sagen om borgeren"] * 12)
        redacted = "clean" if name == "turned" else "refused"
        row("pdf-scan-%s.pdf" % name, img2pdf.convert(pack(picture), layout_fun=layout), digits, OCR, redacted=redacted)
    digits = number()
    coarse = page(lines(digits), (595, 842), 16)
    row("pdf-scan-coarse.pdf", img2pdf.convert(saved(coarse, "PNG"), layout_fun=layout), digits, OCR, redacted="clean")
    digits = number()
    scan = ImageReader(page(["Sag om", *lines(digits)]))

    def recognised(paper):
        text = paper.beginText(60, 700)
        text.setTextRenderMode(3)
        text.textLine("Sag om borger, og det som et andet program kunne se")
        paper.drawText(text)

    def searchable(paper):
        paper.drawImage(scan, 0, 0, 595, 842)
        recognised(paper)

    data = io.BytesIO()
    paper = canvas.Canvas(data, pagesize=(595, 842), invariant=1)
    searchable(paper)
    paper.showPage()
    paper.save()
    row("pdf-scan-half-recognised.pdf", data.getvalue(), digits, OCR)
    logo = ImageReader(page(["Eksempel Kommune"], (600, 150), 40))
    row("pdf-letterhead.pdf", letter(lambda paper: paper.drawImage(logo, 60, 30, 150, 37)), "", "")


def drawn_in_pdf():
    with tempfile.TemporaryDirectory() as folder:
        digits = number()
        (pathlib.Path(folder) / "a.ms").write_text(".LP\nBorgerens CPR-nr. er %s i sagen\n" % dash(digits))
        (pathlib.Path(folder) / "a.ps").write_bytes(run("groff", "-ms", "-Tps", "a.ms", cwd=folder))
        run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-dNoOutputFonts", "-sDEVICE=pdfwrite", "-sOutputFile=a.pdf", "a.ps", cwd=folder)
        row("pdf-outlines.pdf", (pathlib.Path(folder) / "a.pdf").read_bytes(), digits, OCR)
        digits = number()
        script = 'var x=document.getElementById("c").getContext("2d");x.font="28px sans-serif";x.fillText("CPR-nr. %s",10,50)' % dash(digits)
        html = "<meta charset=utf-8><p>%s</p><canvas id=c width=600 height=100></canvas><script>%s</script>" % (TEXT, script)
        (pathlib.Path(folder) / "a.html").write_text(html)
        run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--print-to-pdf=a.pdf", "a.html", cwd=folder)
        row("pdf-canvas-mask.pdf", (pathlib.Path(folder) / "a.pdf").read_bytes(), digits, OCR, redacted="clean")


def locked_pdf():
    for name, method in [("aes256", pymupdf.PDF_ENCRYPT_AES_256), ("rc4", pymupdf.PDF_ENCRYPT_RC4_128)]:
        digits = number()
        document = pymupdf.open()
        document.new_page().insert_text((60, 60), "CPR " + dash(digits))
        row("pdf-mupdf-%s.pdf" % name, document.tobytes(encryption=method, owner_pw="ejer", user_pw=""), digits, "page 1")


def archives():
    def note(folder):
        digits = number()
        text = (TEXT + "\n") * 20 + "CPR-nr. %s\n" % dash(digits) + (TEXT + "\n") * 20
        (pathlib.Path(folder) / "notat.txt").write_text(text)
        return digits

    def made(name, *command, out=None):
        with tempfile.TemporaryDirectory() as folder:
            digits = note(folder)
            given = run(*command, cwd=folder)
            row(name, (pathlib.Path(folder) / out).read_bytes() if out else given, digits, "text")

    for method in ["LZMA", "PPMd"]:
        made("zip-%s.zip" % method.lower(), "7z", "a", "-tzip", "-mm=" + method, "a.zip", "notat.txt", out="a.zip")
    made("cabinet.cab", "gcab", "-c", "-z", "a.cab", "notat.txt", out="a.cab")
    made("notat.txt.Z", "compress", "-c", "notat.txt")
    made("notat.txt.lzo", "lzop", "-c", "notat.txt")
    made("notat.tar.Z", "bsdtar", "-c", "--compress", "-f", "-", "notat.txt")
    made("notat.xar", "bsdtar", "-c", "--format", "xar", "-f", "-", "notat.txt")
    made("binary.cpio", "bsdtar", "-c", "--format", "bin", "-f", "-", "notat.txt")
    made("disc.iso", "bsdtar", "-c", "--format", "iso9660", "-f", "-", "notat.txt")


HEAD = "From: sagsbehandler@kommune.example\r\nTo: borger@post.example\r\nSubject: Sag\r\nMIME-Version: 1.0\r\n"
PLAIN = "Content-Type: text/plain; charset=utf-8\r\n"
HTML = "Content-Type: text/html; charset=utf-8\r\n"


def mail(name, fields, body, digits, place, *more, **options):
    row(name, (HEAD + fields + "\r\n" + body).encode(), digits, place, *more, **options)


def uuencoded(data, margin):
    lines = ["begin 644 notat.txt"] + [binascii.b2a_uu(data[at : at + 45]).decode().rstrip("\n") for at in range(0, len(data), 45)]
    return "".join(margin + line + "\r\n" for line in lines + ["`", "end"])


def mails():
    note = lambda digits: ("Notat om borgeren\r\nCPR-nummer: %s\r\nMed venlig hilsen\r\n" % dash(digits)).encode()
    for name, margin in [("reply", "> "), ("reply-to-reply", ">> "), ("indented", "    ")]:
        digits = number()
        mail("uuencode-%s.eml" % name, PLAIN, "Hej\r\n" + uuencoded(note(digits), margin), digits, "text")
    digits = number()
    quoted = ["Content-Transfer-Encoding: base64", "", *base64.encodebytes(note(digits)).decode().split()]
    mail("base64-reply.eml", PLAIN, "".join("> %s\r\n" % line for line in quoted), digits, "text")
    digits = number()
    value = base64.b64encode(("Borger på Ærø med CPR " + dash(digits)).encode()).decode()
    mail("ldif.eml", PLAIN, "dn: uid=kj,dc=kommune,dc=example\r\ndescription:: %s\r\n %s\r\ncn: KJ\r\n" % (value[:30], value[30:]), digits, "text")
    digits = number()
    value = base64.b64encode(digits.encode()).decode()
    row("kort.ldif", ("version: 1\ndn: uid=kj,dc=kommune\ncpr:: %s\ncn: KJ\n" % value).encode(), digits, "text")
    digits = number()
    value = base64.b64encode(b"CPR " + dash(digits).encode()).decode()
    row("data-url.vcf", ("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:K\r\nNOTE:data:text/plain;base64,%s\r\nEND:VCARD\r\n" % value).encode(), digits, "text")
    digits = number()
    pieces = dash(digits)
    mail("parameter-pieces.eml", 'Content-Type: text/plain; charset=utf-8;\r\n x-note*0="CPR %s";\r\n x-note*1="%s"\r\n' % (pieces[:5], pieces[5:]), "Hej\r\n", digits, "attribute MIME parameter", redacted="clean")
    digits = number()
    mail("override-text.eml", PLAIN, "Borgerens CPR er \u202e%s\u202c, tak\r\n" % dash(digits)[::-1], digits, "text", redacted="clean")
    digits = number()
    mail("override-bdo.eml", HTML, '<p>CPR <bdo dir="rtl">%s</bdo></p>\r\n' % dash(digits)[::-1], digits, "text", redacted="clean")
    digits = number()
    css = "unicode-bidi:bidi-override;direction:rtl"
    mail("override-css.eml", HTML, '<p>CPR <span style="%s">%s</span></p>\r\n' % (css, dash(digits)[::-1]), digits, "text", redacted="clean")
    digits = number()
    mail("black-html.eml", HTML, '<p>CPR <span style="background:#000;color:#000">%s</span></p>\r\n' % dash(digits), digits, "hidden text", "hidden", redacted="clean")
    digits = number()
    split = dash(digits)
    row("tspan.svg", ('<svg xmlns="http://www.w3.org/2000/svg"><text x="1"><tspan>CPR %s</tspan><tspan>%s</tspan></text></svg>' % (split[:4], split[4:])).encode(), digits, "text", redacted="clean")


def signed():
    """Files of S/MIME: opaque signatures are opened, detached ones are no doubt."""
    with tempfile.TemporaryDirectory() as folder:
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "30", "-subj", "/CN=Prøve", cwd=folder)
        for name, form in [("signed-archive.zip.p7m", "DER"), ("signed-text.p7m", "PEM")]:
            digits = number()
            data = ("Content-Type: text/plain; charset=utf-8\r\n\r\nCPR %s\r\n" % dash(digits)).encode()
            if "archive" in name:
                packed = io.BytesIO()
                with zipfile.ZipFile(packed, "w") as archive:
                    archive.writestr("notat.txt", "CPR " + dash(digits))
                data = packed.getvalue()
            (pathlib.Path(folder) / "m").write_bytes(data)
            signed = run("openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", form, "-in", "m", "-signer", "c.pem", "-inkey", "k.pem", cwd=folder)
            fields = 'Content-Type: application/octet-stream; name="%s"\r\nContent-Transfer-Encoding: base64\r\n' % name
            mail(name + ".eml", fields, base64.encodebytes(signed).decode(), digits, "text")
            if form == "DER":
                row(name, signed, digits, "text")
        digits = number()
        (pathlib.Path(folder) / "m").write_text("Content-Type: text/plain\r\n\r\nCPR %s\r\n" % dash(digits))
        clear = run("openssl", "smime", "-sign", "-in", "m", "-signer", "c.pem", "-inkey", "k.pem", "-from", "a@kommune.example", "-to", "b@post.example", "-subject", "Sag", cwd=folder)
        row("signed-clear.eml", clear, digits, "text")


def databases():
    for name, before in [("row", "Jens Hansen "), ("row-beside-digits", "2021")]:
        digits = number()
        with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
            base = sqlite3.connect(file.name)
            base.execute("pragma secure_delete=off")
            base.execute("create table borger(id integer primary key, navn text, cpr text, postnr text)")
            for row_number in range(20):
                base.execute("insert into borger values(?, ?, ?, '8000')", (row_number, before, digits if row_number == 7 else "ingen"))
            base.commit()
            base.execute("delete from borger where id = 7")
            base.commit()
            base.close()
            row("deleted-%s.sqlite" % name, pathlib.Path(file.name).read_bytes(), digits, "hidden text", "hidden")


NAMES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RECTANGLE = """<w:drawing %s xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
 xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="2" behindDoc="0" locked="0"
 layoutInCell="1" allowOverlap="1"><wp:simplePos x="0" y="0"/><wp:positionH relativeFrom="column"><wp:posOffset>500000</wp:posOffset></wp:positionH><wp:positionV relativeFrom="paragraph">
<wp:posOffset>0</wp:posOffset></wp:positionV><wp:extent cx="1500000" cy="200000"/><wp:wrapNone/><wp:docPr id="1" name="Rektangel 1"/><wp:cNvGraphicFramePr/><a:graphic>
<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="1500000" cy="200000"/></a:xfrm>
<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:srgbClr val="000000"/></a:solidFill></wps:spPr><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing>""" % NAMES


def office():
    digits = number()
    document = docx.Document()
    table = document.add_table(2, 2)
    for cell, text in zip([cell for line in table.rows for cell in line.cells], ["Født", "Løbenr", digits[:6], digits[6:]]):
        cell.text = text
    data = io.BytesIO()
    document.save(data)
    row("table-columns.docx", data.getvalue(), digits, "text", redacted="clean")
    digits = number()
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    table = slide.shapes.add_table(2, 2, 914400, 914400, 4572000, 914400).table
    for cell, text in zip([cell for line in table.rows for cell in line.cells], ["Født", "Løbenr", digits[:6], digits[6:]]):
        cell.text = text
    data = io.BytesIO()
    deck.save(data)
    row("table-columns.pptx", data.getvalue(), digits, "slide 1", redacted="clean")
    digits = number()
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.shapes.add_textbox(914400, 914400, 5486400, 457200).text_frame.text = "CPR-nr. %s i sagen" % dash(digits)
    box = slide.shapes.add_shape(1, 1714500, 914400, 1600200, 457200)
    box.fill.solid()
    box.fill.fore_color.rgb = pptx.dml.color.RGBColor(0, 0, 0)
    data = io.BytesIO()
    deck.save(data)
    row("covered-shape.pptx", data.getvalue(), digits, "slide 1", "hidden", redacted="clean")
    digits = number()
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Ark")
        sheet.write("A1", "CPR")
        sheet.write("A2", dash(digits))
        sheet.insert_textbox("A2", "", {"fill": {"color": "black"}, "width": 200, "height": 30})
    row("covered-cell.xlsx", data.getvalue(), digits, "sheet Ark, cell A2", redacted="clean")
    digits = number()
    document = docx.Document()
    document.add_paragraph("CPR-nr. %s i sagen" % dash(digits)).add_run()._r.append(parse_xml(RECTANGLE))
    data = io.BytesIO()
    document.save(data)
    row("covered-line.docx", data.getvalue(), digits, "text", "hidden", redacted="clean")
    digits = number()
    document = docx.Document()
    run = document.add_paragraph("CPR ").add_run(dash(digits))
    run._r.get_or_add_rPr().append(parse_xml('<w:shd %s w:val="solid" w:color="000000" w:fill="auto"/>' % NAMES))
    data = io.BytesIO()
    document.save(data)
    row("covered-pattern.docx", data.getvalue(), digits, "text", "hidden", redacted="clean")
    digits = number()
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        book.add_worksheet("Ark").write("A1", "CPR PLADS")
    packed = io.BytesIO()
    with zipfile.ZipFile(data) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            # As Excel itself writes characters that XML cannot hold, and reads any.
            new.writestr(name, old.read(name).replace(b"PLADS", "".join("_x%04X_" % ord(c) for c in dash(digits)).encode()))
    row("escaped-characters.xlsx", packed.getvalue(), digits, "sheet Ark, cell A1", redacted="clean")
    digits = number()
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        formula = '="CPR "&"%s"&"%s"' % (digits[:6], digits[6:])
        book.add_worksheet("Ark").write_formula("A1", formula, None, "CPR " + digits)
    row("formula-pieces.xlsx", data.getvalue(), digits, "sheet Ark, cell A1", redacted="clean")
    digits = number()
    split = dash(digits)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>')
        text = '<cp IX="0"/>CPR %s<cp IX="1"/>%s' % (split[:3], split[3:])
        shape = '<PageContents xmlns="http://schemas.microsoft.com/office/visio/2012/main"><Shapes><Shape><Text>%s</Text></Shape></Shapes></PageContents>' % text
        package.writestr("visio/pages/page1.xml", shape)
    row("drawing.vsdx", data.getvalue(), digits, "text", redacted="clean")


def binary_workbook():
    """SheetJS writes cells in their short records; needs `npm install xlsx` here, and is left out without."""
    digits = number()
    script = """const X = require('xlsx'), book = X.utils.book_new();
X.utils.book_append_sheet(book, X.utils.aoa_to_sheet([['Navn', 'CPR'], ['Jens', %d]]), 'Ark1');
process.stdout.write(X.write(book, {type: 'buffer', bookType: 'xlsb'}));""" % int("1" + digits[1:])
    digits = "1" + digits[1:]
    made = subprocess.run(["node", "-e", script], capture_output=True)
    if made.returncode == 0:
        row("short-records.xlsb", made.stdout, digits, "sheet Ark1, cell B2", least="possible")


if __name__ == "__main__":
    pictures_in_pdf()
    drawn_in_pdf()
    locked_pdf()
    archives()
    mails()
    office()
    signed()
    databases()
    binary_workbook()
    table = ["# file\tdigits\tplace\thidden\tleast confidence\tdoubts\tredacted"] + ["\t".join(each) for each in ROWS]
    (HERE / "expected.tsv").write_text("\n".join(table) + "\n")
