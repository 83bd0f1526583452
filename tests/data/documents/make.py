#!/usr/bin/env python3
"""Makes the office documents beside this file with the programs people use, one place and one invented number a file, and writes
`expected.tsv`: file, number, place, hidden, least confidence.

    python3 -m venv venv && venv/bin/pip install python-docx openpyxl XlsxWriter python-pptx odfpy Pillow
    apt-get install --no-install-recommends libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui
    venv/bin/python make.py

Each folder is one format; what follows the last hyphen of a name is the program that wrote the file: `py` (python-docx, openpyxl,
python-pptx, odfpy), `xw` (XlsxWriter), `lo` (LibreOffice, from one of the others). The numbers are computed here, from no register."""

import copy
import io
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

import docx
import docx.oxml
import docx.shared
import openpyxl
import pptx
import xlsxwriter
from docx.oxml.ns import qn
from docx.oxml import parse_xml
from lxml import etree
from PIL import Image

HERE = pathlib.Path(__file__).parent
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
ROWS = []
COUNT = 0


def number(plain=False):
    """An invented number with modulus 11, another one each time."""
    global COUNT
    COUNT += 1
    day, month, year = COUNT * 7 % 9 + 1, COUNT * 5 % 12 + 1, 40 + COUNT * 11 % 59
    date = f"{day:02}{month:02}{year:02}"
    for serial in range(COUNT * 37 % 3000 + 200, 3999):
        digits = f"{date}{serial:04}"
        if sum(int(d) * w for d, w in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))) % 11 == 0:
            return digits if plain else f"{date}-{serial:04}"
    raise SystemExit("no serial")


def expect(name, cpr, place, hidden=False, least="likely"):
    digits = re.sub(r"\D", "", cpr)
    ROWS.append((name, digits, place, "hidden" if hidden else "shown", least))


def path(name):
    p = HERE / name
    p.parent.mkdir(parents=True, exist_ok=True)
    return p


def patched(name, edits, add=()):
    """Replaces text in parts of a finished package, adds parts."""
    p = path(name)
    with zipfile.ZipFile(p) as z:
        parts = [(i, z.read(i)) for i in z.infolist()]
    with zipfile.ZipFile(p, "w", zipfile.ZIP_DEFLATED) as z:
        for info, data in parts:
            for part, old, new in edits:
                if info.filename == part:
                    assert old.encode() in data, (name, part, old)
                    data = data.replace(old.encode(), new.encode(), 1)
            z.writestr(info.filename, data)
        for part, data in add:
            z.writestr(part, data)


# --- Word -------------------------------------------------------------------------------------------------------------

def word(name, build, place, cpr=None, hidden=False, least="likely"):
    cpr = cpr or number()
    d = docx.Document()
    d.add_paragraph("Referat af møde i udvalget. Sagen blev gennemgået.")
    build(d, cpr)
    d.add_paragraph("Mødet sluttede kl. 14.30.")
    if name != "body":
        without_preview(d)
    d.save(path(f"docx/{name}-py.docx"))
    expect(f"docx/{name}-py.docx", cpr, place, hidden, least)


def without_preview(d):
    """python-docx's template comes with a picture of its first page, half of the file."""
    rels = d.part.package.rels
    for rid in [rid for rid, rel in rels.items() if rel.reltype.endswith("/thumbnail")]:
        del rels[rid]


def runs(paragraph, pieces):
    for i, piece in enumerate(pieces):
        run = paragraph.add_run(piece)
        run.bold = i % 2 == 0
        run.font.size = docx.shared.Pt(10 + i % 3)


def xml(parent, text):
    parent.append(parse_xml(text))


def word_split(d, cpr):
    p = d.add_paragraph("Borger: ")
    runs(p, [cpr[:3], cpr[3:6], cpr[6:8], cpr[8:]])


def word_split_marks(d, cpr):
    p = d.add_paragraph("Borger: ")
    p.add_run(cpr[:4])
    xml(p._p, f'<w:bookmarkStart {W} w:id="7" w:name="her"/>')
    xml(p._p, f'<w:proofErr {W} w:type="spellStart"/>')
    p.add_run(cpr[4:8])
    xml(p._p, f'<w:bookmarkEnd {W} w:id="7"/>')
    xml(p._p, f'<w:smartTag {W} w:uri="urn:x" w:element="tal"><w:r><w:t>{cpr[8:]}</w:t></w:r></w:smartTag>')


def word_nbhyphen(d, cpr):
    p = d.add_paragraph("Borger ")
    xml(p._p, f'<w:r {W}><w:t>{cpr[:6]}</w:t><w:noBreakHyphen/><w:t>{cpr[7:]}</w:t></w:r>')


def word_table(d, cpr):
    t = d.add_table(2, 3)
    for cell, text in zip(t.rows[0].cells, ["Navn", "CPR-nr.", "By"]):
        cell.text = text
    for cell, text in zip(t.rows[1].cells, ["Anders", cpr.replace("-", ""), "Lemvig"]):
        cell.text = text


def word_table_split(d, cpr):
    t = d.add_table(2, 3)
    for cell, text in zip(t.rows[0].cells, ["CPR dato", "Løbenr.", "By"]):
        cell.text = text
    for cell, text in zip(t.rows[1].cells, [cpr[:6], cpr[7:], "Lemvig"]):
        cell.text = text


def word_header(d, cpr):
    d.sections[0].header.paragraphs[0].text = f"Sag om {cpr}"


def word_footer(d, cpr):
    d.sections[0].footer.paragraphs[0].text = f"Sag om {cpr}"


def word_first_header(d, cpr):
    d.sections[0].different_first_page_header_footer = True
    d.sections[0].first_page_header.paragraphs[0].text = f"Borger {cpr}"


def word_vanish(d, cpr):
    d.add_paragraph("Intern note: ").add_run(cpr).font.hidden = True


def word_vanish_style(d, cpr):
    style = d.styles.add_style("Skjult", docx.enum.style.WD_STYLE_TYPE.CHARACTER)
    style.font.hidden = True
    d.add_paragraph("Intern note: ").add_run(cpr, style="Skjult")


def word_white(d, cpr):
    d.add_paragraph("Note: ").add_run(cpr).font.color.rgb = docx.shared.RGBColor(255, 255, 255)


def word_black(d, cpr):
    run = d.add_paragraph("Borger: ").add_run(cpr)
    run.font.highlight_color = docx.enum.text.WD_COLOR_INDEX.BLACK


def word_deleted(d, cpr):
    p = d.add_paragraph("Borger ")
    xml(p._p, f'<w:del {W} w:id="1" w:author="A"><w:r><w:delText>{cpr}</w:delText></w:r></w:del>')


def word_deleted_half(d, cpr):
    p = d.add_paragraph(f"Borger {cpr[:8]}")
    xml(p._p, f'<w:del {W} w:id="1" w:author="A"><w:r><w:delText>{cpr[8:]}</w:delText></w:r></w:del>')
    xml(p._p, f'<w:ins {W} w:id="2" w:author="A"><w:r><w:t>XX</w:t></w:r></w:ins>')


def word_inserted(d, cpr):
    p = d.add_paragraph("Borger ")
    xml(p._p, f'<w:ins {W} w:id="2" w:author="A"><w:r><w:t>{cpr}</w:t></w:r></w:ins>')


def word_moved(d, cpr):
    p = d.add_paragraph("Borger ")
    xml(p._p, f'<w:moveFrom {W} w:id="1" w:author="A"><w:r><w:t>{cpr}</w:t></w:r></w:moveFrom>')


def word_field_code(d, cpr):
    p = d.add_paragraph("Se ")
    for part in ['<w:fldChar w:fldCharType="begin"/>', f'<w:instrText xml:space="preserve"> HYPERLINK "https://sag.example/?cpr={cpr[:4]}</w:instrText>',
                 f'<w:instrText>{cpr[4:]}" </w:instrText>', '<w:fldChar w:fldCharType="separate"/>', "<w:t>sagen</w:t>", '<w:fldChar w:fldCharType="end"/>']:
        xml(p._p, f"<w:r {W}>{part}</w:r>")


def word_field_result(d, cpr):
    p = d.add_paragraph("Borger ")
    xml(p._p, f'<w:fldSimple {W} w:instr=" MERGEFIELD nr "><w:r><w:t>{cpr}</w:t></w:r></w:fldSimple>')


def word_link(d, cpr):
    p = d.add_paragraph("Se ")
    rid = p.part.relate_to(f"https://sag.example/borger/{cpr}", "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink", is_external=True)
    xml(p._p, f'<w:hyperlink {W} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="{rid}"><w:r><w:t>sagen</w:t></w:r></w:hyperlink>')


def word_tooltip(d, cpr):
    p = d.add_paragraph("Se ")
    xml(p._p, f'<w:hyperlink {W} w:anchor="her" w:tooltip="Borger {cpr}"><w:r><w:t>sagen</w:t></w:r></w:hyperlink>')


def picture():
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (200, 30, 30)).save(out, "PNG")
    out.seek(0)
    return out


def word_alt(d, cpr):
    d.add_picture(picture())
    d.paragraphs[-1]._p.find(".//" + qn("wp:docPr")).set("descr", f"Skærmbillede af {cpr}")


def word_title_alt(d, cpr):
    d.add_picture(picture())
    d.paragraphs[-1]._p.find(".//" + qn("wp:docPr")).set("title", f"Billede {cpr}")


def word_core(field):
    def build(d, cpr):
        setattr(d.core_properties, field, f"Sag {cpr}")
    return build


TEXTBOX = """<w:r {w} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
 xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
 xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml"><mc:AlternateContent>
<mc:Choice Requires="wps"><w:drawing><wp:inline><wp:extent cx="2000000" cy="600000"/><wp:docPr id="9" name="Tekstfelt 1"/><a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="2000000" cy="600000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></wps:spPr><wps:txbx><w:txbxContent><w:p><w:r><w:t>{one}</w:t></w:r></w:p></w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>
<mc:Fallback><w:pict><v:shape style="width:150pt;height:50pt"><v:textbox><w:txbxContent><w:p><w:r><w:t>{two}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>"""


def word_textbox(d, cpr):
    xml(d.add_paragraph("Se feltet")._p, TEXTBOX.format(w=W, one=f"Borger {cpr}", two=f"Borger {cpr}"))


def word_textbox_fallback(d, cpr):
    xml(d.add_paragraph("Se feltet")._p, TEXTBOX.format(w=W, one="Intet", two=f"Borger {cpr}"))


def word_around_textbox(d, cpr):
    p = d.add_paragraph(f"Borger {cpr[:6]}")
    xml(p._p, TEXTBOX.format(w=W, one="Intet", two="Intet"))
    p.add_run(cpr[6:])


def word_control(d, cpr):
    xml(d.add_paragraph("Borger: ")._p, f'<w:sdt {W}><w:sdtPr><w:alias w:val="CPR"/><w:id w:val="1012901234"/></w:sdtPr><w:sdtContent><w:r><w:t>{cpr}</w:t></w:r></w:sdtContent></w:sdt>')


def word_control_list(d, cpr):
    xml(d.add_paragraph("Borger: ")._p, f'<w:sdt {W}><w:sdtPr><w:dropDownList><w:listItem w:displayText="Borger {cpr}" w:value="1"/></w:dropDownList></w:sdtPr><w:sdtContent><w:r><w:t>Vælg</w:t></w:r></w:sdtContent></w:sdt>')


def word_formfield(d, cpr):
    p = d.add_paragraph("Felt ")
    xml(p._p, f'<w:r {W}><w:fldChar w:fldCharType="begin"><w:ffData><w:name w:val="T"/><w:enabled/><w:textInput><w:default w:val="{cpr}"/></w:textInput></w:ffData></w:fldChar></w:r>')
    xml(p._p, f'<w:r {W}><w:fldChar w:fldCharType="end"/></w:r>')


def word_bookmark(d, cpr):
    p = d.add_paragraph("Afsnit")
    xml(p._p, f'<w:bookmarkStart {W} w:id="3" w:name="cpr_{cpr.replace("-", "_")}"/>')
    xml(p._p, f'<w:bookmarkEnd {W} w:id="3"/>')


def word_docvar(d, cpr):
    xml(d.settings.element, f'<w:docVars {W}><w:docVar w:name="CPR" w:val="{cpr.replace("-", "")}"/></w:docVars>')


def word_sym(d, cpr):
    p = d.add_paragraph("Borger ")
    signs = "".join(f'<w:sym w:font="Symbol" w:char="F0{ord(c):02X}"/>' for c in cpr)
    xml(p._p, f"<w:r {W}>{signs}</w:r>")


def word_tab(d, cpr):
    d.add_paragraph(f"CPR-nr.:\t{cpr[:6]}\t{cpr[7:]}")


def word_entity(d, cpr):
    d.add_paragraph(f"Borger {cpr} & datter")


def word_math(d, cpr):
    M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    xml(d.add_paragraph("Borger ")._p, f'<m:oMath xmlns:m="{M}"><m:r><m:t>{cpr}</m:t></m:r></m:oMath>')


def word_watermark(d, cpr):
    p = d.sections[0].header.paragraphs[0]
    xml(p._p, f'<w:r {W} xmlns:v="urn:schemas-microsoft-com:vml"><w:pict><v:shape style="width:400pt;height:80pt"><v:textpath string="Borger {cpr}"/></v:shape></w:pict></w:r>')


def word_author(d, cpr):
    xml(d.add_paragraph("Borger ")._p, f'<w:ins {W} w:id="2" w:author="Borger {cpr}"><w:r><w:t>ny tekst</w:t></w:r></w:ins>')


def word_nested_table(d, cpr):
    cell = d.add_table(1, 2).rows[0].cells[1]
    inner = cell.add_table(2, 2)
    inner.rows[0].cells[1].text = "CPR"
    inner.rows[1].cells[0].text = "Anna"
    inner.rows[1].cells[1].text = cpr


def word_comment(d, cpr):
    p = d.add_paragraph("Se bemærkning")
    d.add_comment(p.runs, text=f"Borgerens nr. er {cpr}", author="Sag", initials="S")


def word_embedded(d, cpr):
    book = openpyxl.Workbook()
    book.active["A1"] = f"Borger {cpr}"
    out = io.BytesIO()
    book.save(out)
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    part = Part(PackURI("/word/embeddings/Ark1.xlsx"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", out.getvalue(), d.part.package)
    d.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/package")


def word_custom_xml(d, cpr):
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    part = Part(PackURI("/customXml/item9.xml"), "application/xml", f"<sag><borger>{cpr}</borger></sag>".encode(), d.part.package)
    d.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml")


def word_part(kind, uri, content_type, body):
    def build(d, cpr):
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part
        part = Part(PackURI(uri), content_type, ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + body.format(w=W, cpr=cpr, half=cpr[:6], rest=cpr[6:])).encode(), d.part.package)
        d.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/" + kind)
        if kind in ("footnotes", "endnotes"):
            one = kind[:-1]
            xml(d.add_paragraph("Se noten")._p, f'<w:r {W}><w:{one}Reference w:id="2"/></w:r>')
    return build


NOTES = '<w:{kind}s {{w}}><w:{kind} w:id="-1" w:type="separator"><w:p><w:r><w:separator/></w:r></w:p></w:{kind}><w:{kind} w:id="2"><w:p><w:r><w:t xml:space="preserve">Om borger </w:t></w:r><w:r><w:t>{{half}}</w:t></w:r><w:r><w:t>{{rest}}</w:t></w:r></w:p></w:{kind}></w:{kind}s>'
WML = "application/vnd.openxmlformats-officedocument.wordprocessingml."


def words():
    word("body", lambda d, c: d.add_paragraph(f"Borger {c} har søgt."), "text")
    word("bare", lambda d, c: d.add_paragraph(f"Personnummer {c.replace('-', '')}."), "text")
    word("split", word_split, "text")
    word("split-marks", word_split_marks, "text")
    word("nobreak-hyphen", word_nbhyphen, "text")
    word("table", word_table, "text")
    word("table-split", word_table_split, "text")
    word("nested-table", word_nested_table, "text")
    word("header", word_header, "page header")
    word("footer", word_footer, "page footer")
    word("first-header", word_first_header, "page header")
    word("watermark", word_watermark, "text box")
    word("vanish", word_vanish, "hidden text", hidden=True)
    word("vanish-style", word_vanish_style, "hidden text", hidden=True)
    word("white", word_white, "hidden text", hidden=True)
    word("black", word_black, "text", hidden=True)
    word("deleted", word_deleted, "tracked change", hidden=True)
    word("deleted-half", word_deleted_half, "tracked change", hidden=True)
    word("moved", word_moved, "tracked change", hidden=True)
    word("inserted", word_inserted, "text")
    word("author", word_author, "author name", hidden=True)
    word("field-code", word_field_code, "field code", hidden=True)
    word("field-result", word_field_result, "text")
    word("link", word_link, "link")
    word("tooltip", word_tooltip, "link")
    word("alt", word_alt, "alternative text")
    word("alt-title", word_title_alt, "alternative text")
    for field in ("title", "subject", "author", "keywords", "comments", "category"):
        name = {"author": "creator", "comments": "description"}.get(field, field)
        word(f"property-{field}", word_core(field), f"property {name}", hidden=True)
    word("textbox", word_textbox, "text box")
    word("textbox-fallback", word_textbox_fallback, "source", hidden=True)
    word("around-textbox", word_around_textbox, "text")
    word("control", word_control, "text")
    word("control-list", word_control_list, "form field", hidden=True)
    word("form-field", word_formfield, "form field", hidden=True)
    word("bookmark", word_bookmark, "style or bookmark name", hidden=True, least="possible")
    word("variable", word_docvar, "document settings", hidden=True)
    word("symbol", word_sym, "text")
    word("tab", word_tab, "text")
    word("entity", word_entity, "text")
    word("formula", word_math, "text")
    word("comment", word_comment, "comment")
    word("embedded", word_embedded, "sheet Sheet, cell A1")
    word("custom-xml", word_custom_xml, "text")
    word("footnote", word_part("footnotes", "/word/footnotes.xml", WML + "footnotes+xml", NOTES.format(kind="footnote")), "footnote 2")
    word("endnote", word_part("endnotes", "/word/endnotes.xml", WML + "endnotes+xml", NOTES.format(kind="endnote")), "endnote 2")
    word("glossary", word_part("glossaryDocument", "/word/glossary/document.xml", WML + "document.glossary+xml",
         '<w:glossaryDocument {w}><w:docParts><w:docPart><w:docPartPr><w:name w:val="Blok"/></w:docPartPr><w:docPartBody><w:p><w:r><w:t>Borger {cpr}</w:t></w:r></w:p></w:docPartBody></w:docPart></w:docParts></w:glossaryDocument>'),
         "building block", hidden=True)
    # Own properties: python-docx has no way to write them.
    cpr = number(plain=True)
    d = docx.Document()
    d.add_paragraph("Referat")
    d.save(path("docx/custom-property-py.docx"))
    patched("docx/custom-property-py.docx",
            [("[Content_Types].xml", "</Types>", '<Override PartName="/docProps/custom.xml" ContentType="application/vnd.openxmlformats-officedocument.custom-properties+xml"/></Types>'),
             ("_rels/.rels", "</Relationships>", '<Relationship Id="rId9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties" Target="docProps/custom.xml"/></Relationships>')],
            [("docProps/custom.xml", f'<?xml version="1.0" encoding="UTF-8"?><Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"><property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="2" name="CPR"><vt:lpwstr>{cpr}</vt:lpwstr></property></Properties>')])
    expect("docx/custom-property-py.docx", cpr, "property CPR", True)
    # "Word XML document": the same package in one XML file.
    cpr = number()
    d = docx.Document()
    without_preview(d)
    d.add_paragraph(f"Borger {cpr} har søgt.")
    d.sections[0].footer.paragraphs[0].text = "Intet"
    out = io.BytesIO()
    d.save(out)
    with zipfile.ZipFile(out) as z:
        types = dict(re.findall(r'<Override PartName="([^"]*)" ContentType="([^"]*)"', z.read("[Content_Types].xml").decode()))
        body = "".join(f'<pkg:part pkg:name="/{n}" pkg:contentType="{types.get("/" + n, "application/vnd.openxmlformats-package.relationships+xml")}"><pkg:xmlData>{re.sub(r"<[?]xml.*?[?]>", "", z.read(n).decode())}</pkg:xmlData></pkg:part>' for n in z.namelist() if n.endswith((".xml", ".rels")) and not n.startswith("["))
    path("docx/flat-py.xml").write_text(f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><?mso-application progid="Word.Document"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">{body}</pkg:package>')
    expect("docx/flat-py.xml", cpr, "text")
    # The same document as a template and with another main type.
    cpr = number()
    d = docx.Document()
    d.add_paragraph(f"Borger {cpr}")
    d.save(path("docx/template-py.dotx"))
    patched("docx/template-py.dotx", [("[Content_Types].xml", WML + "document.main+xml", WML + "template.main+xml")])
    expect("docx/template-py.dotx", cpr, "text")
    # No number at all, but what looks like one to a careless reader: ids and coordinates.
    d = docx.Document()
    d.add_paragraph("Referat uden numre. Konto 1234 5678901, faktura 1012901.")
    xml(d.add_paragraph("Vælg: ")._p, f'<w:sdt {W}><w:sdtPr><w:id w:val="1012901232"/></w:sdtPr><w:sdtContent><w:r w:rsidR="01019012"><w:t>her</w:t></w:r></w:sdtContent></w:sdt>')
    d.add_picture(picture())
    d.save(path("docx/none-py.docx"))
    expect("docx/none-py.docx", "", "-")


# --- Excel ------------------------------------------------------------------------------------------------------------

def sheet(name, build, place, cpr=None, hidden=False, least="likely"):
    cpr = cpr or number(plain=True)
    book = openpyxl.Workbook()
    ws = book.active
    ws.title = "Borgere"
    build(book, ws, cpr)
    book.save(path(f"xlsx/{name}-py.xlsx"))
    expect(f"xlsx/{name}-py.xlsx", cpr, place, hidden, least)


def rows(ws, values, start=1):
    for r, row in enumerate(values, start):
        for c, value in enumerate(row, 1):
            if value is not None:
                ws.cell(r, c, value)


def dashed(cpr):
    return f"{cpr[:6]}-{cpr[6:]}"


def xl_header(cpr, value):
    return [["Navn", "CPR-nr.", "By"], ["Anders", value, "Lemvig"], ["Bente", None, None]]


def xl_format(code):
    def build(book, ws, cpr):
        rows(ws, [["Navn", "Nr."], ["Anders", int(cpr)]])
        ws["B2"].number_format = code
    return build


def xl_split(book, ws, cpr):
    rows(ws, [["Navn", "CPR", "Løbenr."], ["Anders", cpr[:6], cpr[6:]]])


def xl_split_numbers(book, ws, cpr):
    rows(ws, [["Navn", "CPR", "Løbenr."], ["Anders", int(cpr[:6]), int(cpr[6:])]])
    ws["B2"].number_format = "000000"
    ws["C2"].number_format = "0000"


def xl_split_date(book, ws, cpr):
    import datetime
    rows(ws, [["Navn", "Fødselsdato", "CPR, sidste fire"], ["Anders", datetime.date(1900 + int(cpr[4:6]), int(cpr[2:4]), int(cpr[:2])), cpr[6:]]])
    ws["B2"].number_format = "dd-mm-yyyy"


def xl_chart_numbers(book, ws, cpr):
    from openpyxl.chart import BarChart, Reference
    rows(ws, [["Nr."], [int(cpr)], [5]])
    ws["A2"].number_format = "000000-0000"
    chart = BarChart()
    chart.add_data(Reference(ws, min_col=1, min_row=1, max_row=3), titles_from_data=True)
    ws.add_chart(chart, "E5")


def xl_hidden_sheet(state):
    def build(book, ws, cpr):
        ws["A1"] = "Intet her"
        other = book.create_sheet("Bag")
        other["B2"] = f"Borger {dashed(cpr)}"
        other.sheet_state = state
    return build


def xl_hidden_row(book, ws, cpr):
    rows(ws, [["Navn"], ["Anders"], [f"Borger {dashed(cpr)}"]])
    ws.row_dimensions[3].hidden = True


def xl_hidden_column(book, ws, cpr):
    rows(ws, [["Navn", "Nr."], ["Anders", dashed(cpr)]])
    ws.column_dimensions["B"].hidden = True


def xl_comment(book, ws, cpr):
    from openpyxl.comments import Comment
    ws["A1"] = "Se kommentar"
    ws["A1"].comment = Comment(f"Borger {dashed(cpr)}", "Sag")


def xl_name(book, ws, cpr):
    from openpyxl.workbook.defined_name import DefinedName
    ws["A1"] = "Intet"
    book.defined_names["borger"] = DefinedName("borger", attr_text=f'"{dashed(cpr)}"')


def xl_sheet_name(book, ws, cpr):
    ws.title = f"Borger {dashed(cpr)}"
    ws["A1"] = "Intet"
    ws["A2"] = f"=SUM('Borger {dashed(cpr)}'!B1:B9)"


def xl_page(where):
    def build(book, ws, cpr):
        ws["A1"] = "Intet"
        getattr(ws, where).center.text = f"Borger {dashed(cpr)}"
    return build


def xl_validation(book, ws, cpr):
    from openpyxl.worksheet.datavalidation import DataValidation
    rule = DataValidation(type="list", formula1=f'"{dashed(cpr)},andre"')
    ws.add_data_validation(rule)
    rule.add("A1")
    ws["A1"] = "andre"


def xl_prompt(book, ws, cpr):
    from openpyxl.worksheet.datavalidation import DataValidation
    rule = DataValidation(type="whole", formula1="1", promptTitle="Hjælp", prompt=f"Skriv som {dashed(cpr)}", showInputMessage=True)
    ws.add_data_validation(rule)
    rule.add("A1")


def xl_link(book, ws, cpr):
    ws["A1"] = "Sagen"
    ws["A1"].hyperlink = f"https://sag.example/{dashed(cpr)}"


def xl_chart(book, ws, cpr):
    from openpyxl.chart import BarChart, Reference
    rows(ws, [["År", "Antal"], [2024, 3], [2025, 4]])
    chart = BarChart()
    chart.title = f"Borger {dashed(cpr)}"
    chart.add_data(Reference(ws, min_col=2, min_row=1, max_row=3), titles_from_data=True)
    ws.add_chart(chart, "E5")


def xl_property(book, ws, cpr):
    ws["A1"] = "Intet"
    book.properties.title = f"Borger {dashed(cpr)}"


def xl_custom_property(book, ws, cpr):
    from openpyxl.packaging.custom import StringProperty
    ws["A1"] = "Intet"
    book.custom_doc_props.append(StringProperty(name="CPR", value=cpr))


def xl_filter(book, ws, cpr):
    rows(ws, [["Nr."], ["a"], ["b"]])
    ws.auto_filter.ref = "A1:A3"
    ws.auto_filter.add_filter_column(0, [dashed(cpr)])


def xl_white(book, ws, cpr):
    ws["A1"] = f"Borger {dashed(cpr)}"
    ws["A1"].font = openpyxl.styles.Font(color="FFFFFFFF")


def xl_black(book, ws, cpr):
    ws["A1"] = f"Borger {dashed(cpr)}"
    ws["A1"].font = openpyxl.styles.Font(color="FF000000")
    ws["A1"].fill = openpyxl.styles.PatternFill("solid", fgColor="FF000000")


def xl_rich(book, ws, cpr):
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont
    ws["A1"] = CellRichText("Borger ", TextBlock(InlineFont(b=True), dashed(cpr)[:5]), TextBlock(InlineFont(i=True), dashed(cpr)[5:]))


def xl_table(book, ws, cpr):
    from openpyxl.worksheet.table import Table
    rows(ws, [["Nr.", dashed(cpr)], ["a", "b"]])
    ws.add_table(Table(displayName="T", ref="A1:B2"))


def sheets():
    sheet("string", lambda b, ws, c: rows(ws, [["Note"], [f"Borger {dashed(c)} har søgt"]]), "sheet Borgere, cell A2")
    sheet("column", lambda b, ws, c: rows(ws, xl_header(c, c)), "sheet Borgere, cell B2")
    sheet("number-heading", lambda b, ws, c: rows(ws, xl_header(c, int(c))), "sheet Borgere, cell B2")
    sheet("number-format-hyphen", xl_format("000000-0000"), "sheet Borgere, cell B2")
    sheet("number-format-escaped", xl_format("000000\\-0000"), "sheet Borgere, cell B2")
    sheet("number-format-quoted", xl_format('000000"-"0000'), "sheet Borgere, cell B2")
    sheet("number-format-zeros", xl_format("0000000000"), "sheet Borgere, cell B2")
    wide = [f"Kolonne {'abcdefghij'[i % 10] * 12}" for i in range(60)]
    sheet("wide", lambda b, ws, c: rows(ws, [wide[:40] + ["CPR-nr."] + wide[40:], ["tekst uden tal her"] * 40 + [int(c)] + ["mere tekst"] * 20]), "sheet Borgere, cell AO2")
    # Nothing says what it is: possible, no more.
    sheet("number-alone", lambda b, ws, c: rows(ws, [["Navn", "Nr."], ["Anders", int(c)]]), "sheet Borgere, cell B2", least="possible")
    sheet("split", xl_split, "sheet Borgere, cell B2")
    sheet("split-numbers", xl_split_numbers, "sheet Borgere, cell B2")
    sheet("split-date", xl_split_date, "sheet Borgere, cell B2")
    sheet("chart-numbers", xl_chart_numbers, "sheet Borgere, cell A2")
    sheet("hidden-sheet", xl_hidden_sheet("hidden"), "hidden sheet Bag, cell B2", hidden=True)
    sheet("very-hidden-sheet", xl_hidden_sheet("veryHidden"), "hidden sheet Bag, cell B2", hidden=True)
    sheet("hidden-row", xl_hidden_row, "sheet Borgere, cell A3 in a hidden row", hidden=True)
    sheet("hidden-column", xl_hidden_column, "sheet Borgere, cell B2 in a hidden column", hidden=True)
    sheet("comment", xl_comment, "comment")
    sheet("defined-name", xl_name, "defined name", hidden=True)
    sheet("sheet-name", xl_sheet_name, "sheet name")
    sheet("page-header", xl_page("oddHeader"), "page header")
    sheet("page-footer", xl_page("oddFooter"), "page footer")
    sheet("validation", xl_validation, "data validation or filter", hidden=True)
    sheet("validation-prompt", xl_prompt, "data validation or filter", hidden=True)
    sheet("link", xl_link, "link")
    sheet("chart-title", xl_chart, "chart")
    sheet("property", xl_property, "property title", hidden=True)
    sheet("custom-property", xl_custom_property, "property CPR", hidden=True)
    sheet("filter", xl_filter, "data validation or filter", hidden=True)
    sheet("white", xl_white, "sheet Borgere, cell A1, not visible", hidden=True)
    sheet("black", xl_black, "sheet Borgere, cell A1")
    sheet("rich", xl_rich, "sheet Borgere, cell A1")
    sheet("table-column", xl_table, "sheet Borgere, cell B1")
    sheet("formula", lambda b, ws, c: rows(ws, [[f'="Borger "&"{dashed(c)}"']]), "sheet Borgere, formula in A1", hidden=True)
    writer("cached", lambda book, ws, c: ws.write_formula("B2", "=C9&D9", None, dashed(c)), "sheet Borgere, cell B2")
    writer("cached-number", lambda book, ws, c: ws.write_formula("B2", "=C9*1", book.add_format({"num_format": "000000-0000"}), int(c)), "sheet Borgere, cell B2")
    writer("string", lambda book, ws, c: ws.write("A5", f"Borger {dashed(c)}"), "sheet Borgere, cell A5")
    writer("inline", lambda book, ws, c: ws.write("A5", f"Borger {dashed(c)}"), "sheet Borgere, cell A5", {"constant_memory": True})
    writer("format", lambda book, ws, c: ws.write("C3", int(c), book.add_format({"num_format": "000000-0000"})), "sheet Borgere, cell C3")
    writer("textbox", lambda book, ws, c: ws.insert_textbox("B2", f"Borger {dashed(c)}"), "text box")
    writer("comment", lambda book, ws, c: ws.write_comment("B2", f"Borger {dashed(c)}"), "comment")
    writer("alt", lambda book, ws, c: ws.insert_image("B2", "rød.png", {"image_data": picture(), "description": f"Borger {dashed(c)}"}), "alternative text")
    writer("conditional", lambda book, ws, c: ws.conditional_format("A1:A9", {"type": "cell", "criteria": "equal to", "value": f'"{dashed(c)}"', "format": book.add_format({"bold": True})}), "data validation or filter", hidden=True)

    def chart(book, ws, c):
        ws.write_column("A1", [f"Borger {dashed(c)}", "anden"])
        ws.write_column("B1", [1, 2])
        ch = book.add_chart({"type": "column"})
        ch.add_series({"categories": "=Borgere!$A$1:$A$2", "values": "=Borgere!$B$1:$B$2"})
        ws.insert_chart("D4", ch)
    writer("chart-cache", chart, "chart")
    cpr = ROWS[-1][1]
    patched("xlsx/chart-cache-xw.xlsx", [("xl/sharedStrings.xml", f"Borger {dashed(cpr)}", "slettet")])

    def orphan(book, ws, c):
        ws.write("A1", f"Borger {dashed(c)}")
        ws.write("A1", "rettet")
    writer("orphan-string", orphan, "data shown nowhere", hidden=True)
    pivot()
    external()
    threaded()
    cpr = number(plain=True)
    book = openpyxl.Workbook()
    book.active.title = "Borgere"
    book.active["A1"] = f"Borger {dashed(cpr)}"
    book.template = True
    book.save(path("xlsx/template-py.xltx"))
    expect("xlsx/template-py.xltx", cpr, "sheet Borgere, cell A1")
    book = openpyxl.Workbook()
    rows(book.active, [["Sagsnr.", "Beløb", "Dato"]] + [[100200300 + i * 7, 1234.5 + i, 45000 + i] for i in range(40)])
    book.save(path("xlsx/none-py.xlsx"))
    expect("xlsx/none-py.xlsx", "", "-")


def writer(name, build, place, options=None, hidden=False):
    cpr = number(plain=True)
    book = xlsxwriter.Workbook(str(path(f"xlsx/{name}-xw.xlsx")), options or {})
    ws = book.add_worksheet("Borgere")
    ws.write("A1", "Overskrift")
    build(book, ws, cpr)
    book.close()
    expect(f"xlsx/{name}-xw.xlsx", cpr, place, hidden)


XMAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
XREL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
XDECL = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def pivot():
    """Pivot caches: neither writer makes them, so their parts are added to a finished workbook."""
    for name, items, record in (
        ("pivot-strings", lambda c: f'<sharedItems count="1"><s v="{dashed(c)}"/></sharedItems>', lambda c: '<x v="0"/>'),
        ("pivot-numbers", lambda c: f'<sharedItems containsSemiMixedTypes="0" containsString="0" containsNumber="1" containsInteger="1" minValue="{int(c)}" maxValue="{int(c)}"/>', lambda c: f'<n v="{int(c)}"/>'),
    ):
        cpr = number(plain=True)
        file = f"xlsx/{name}-py.xlsx"
        book = openpyxl.Workbook()
        book.active.title = "Ark1"
        rows(book.active, [["CPR", "Antal"], ["slettet", 1]])
        book.save(path(file))
        patched(file, [
            ("[Content_Types].xml", "</Types>", '<Override PartName="/xl/pivotCache/pivotCacheDefinition1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.pivotCacheDefinition+xml"/><Override PartName="/xl/pivotCache/pivotCacheRecords1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.pivotCacheRecords+xml"/></Types>'),
            ("xl/_rels/workbook.xml.rels", "</Relationships>", f'<Relationship Id="rId77" Type="{XREL}/pivotCacheDefinition" Target="pivotCache/pivotCacheDefinition1.xml"/></Relationships>'),
            ("xl/workbook.xml", "</workbook>", f'<pivotCaches><pivotCache cacheId="1" xmlns:r="{XREL}" r:id="rId77"/></pivotCaches></workbook>'),
        ], [
            ("xl/pivotCache/pivotCacheDefinition1.xml", f'{XDECL}<pivotCacheDefinition {XMAIN} xmlns:r="{XREL}" r:id="rId1" recordCount="1"><cacheSource type="worksheet"><worksheetSource ref="A1:B2" sheet="Ark1"/></cacheSource><cacheFields count="2"><cacheField name="CPR" numFmtId="0">{items(cpr)}</cacheField><cacheField name="Antal" numFmtId="0"><sharedItems containsSemiMixedTypes="0" containsString="0" containsNumber="1" containsInteger="1" minValue="1" maxValue="1"/></cacheField></cacheFields></pivotCacheDefinition>'),
            ("xl/pivotCache/_rels/pivotCacheDefinition1.xml.rels", f'{XDECL}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{XREL}/pivotCacheRecords" Target="pivotCacheRecords1.xml"/></Relationships>'),
            ("xl/pivotCache/pivotCacheRecords1.xml", f'{XDECL}<pivotCacheRecords {XMAIN} count="1"><r>{record(cpr)}<n v="1"/></r></pivotCacheRecords>'),
        ])
        expect(file, cpr, "pivot cache", True)


def external():
    cpr = number(plain=True)
    file = "xlsx/external-link-py.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"] = "Intet"
    book.save(path(file))
    patched(file, [
        ("[Content_Types].xml", "</Types>", '<Override PartName="/xl/externalLinks/externalLink1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml"/></Types>'),
        ("xl/_rels/workbook.xml.rels", "</Relationships>", f'<Relationship Id="rId78" Type="{XREL}/externalLink" Target="externalLinks/externalLink1.xml"/></Relationships>'),
        ("xl/workbook.xml", "</sheets>", f'</sheets><externalReferences><externalReference xmlns:r="{XREL}" r:id="rId78"/></externalReferences>'),
    ], [
        ("xl/externalLinks/externalLink1.xml", f'{XDECL}<externalLink {XMAIN} xmlns:r="{XREL}"><externalBook r:id="rId1"><sheetNames><sheetName val="Data"/></sheetNames><sheetDataSet><sheetData sheetId="0"><row r="1"><cell r="A1" t="str"><v>{dashed(cpr)}</v></cell></row></sheetData></sheetDataSet></externalBook></externalLink>'),
        ("xl/externalLinks/_rels/externalLink1.xml.rels", f'{XDECL}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{XREL}/externalLinkPath" Target="data.xlsx" TargetMode="External"/></Relationships>'),
    ])
    expect(file, cpr, "external connection", True)


def threaded():
    cpr = number(plain=True)
    file = "xlsx/threaded-comment-py.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"] = "Intet"
    book.active["B1"].hyperlink = "https://sag.example/"
    book.save(path(file))
    patched(file, [
        ("[Content_Types].xml", "</Types>", '<Override PartName="/xl/threadedComments/threadedComment1.xml" ContentType="application/vnd.ms-excel.threadedcomments+xml"/></Types>'),
        ("xl/worksheets/_rels/sheet1.xml.rels", "</Relationships>", '<Relationship Id="rId79" Type="http://schemas.microsoft.com/office/2017/10/relationships/threadedComment" Target="../threadedComments/threadedComment1.xml"/></Relationships>'),
    ], [
        ("xl/threadedComments/threadedComment1.xml", f'{XDECL}<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"><threadedComment ref="A1" dT="2026-01-02T03:04:05.00" personId="{{6A3F5A4B-0000-4000-8000-000000000001}}" id="{{6A3F5A4B-0000-4000-8000-000000000002}}"><text>Borger {dashed(cpr)}</text></threadedComment></ThreadedComments>'),
    ])
    expect(file, cpr, "comment")


# --- PowerPoint ---------------------------------------------------------------------------------------------------------

def slide(name, build, place, hidden=False, least="likely"):
    cpr = number()
    deck = pptx.Presentation()
    s = deck.slides.add_slide(deck.slide_layouts[5])
    s.shapes.title.text = "Status"
    build(deck, s, cpr)
    deck.save(path(f"pptx/{name}-py.pptx"))
    slim(f"pptx/{name}-py.pptx")
    expect(f"pptx/{name}-py.pptx", cpr, place, hidden, least)


def slim(name):
    """python-pptx's default deck has eleven layouts; they are kept, better compressed."""
    p = path(name)
    with zipfile.ZipFile(p) as z:
        parts = [(i.filename, z.read(i)) for i in z.infolist()]
    with zipfile.ZipFile(p, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for part, data in parts:
            z.writestr(part, data)


def box(s, text, left=1):
    from pptx.util import Inches
    b = s.shapes.add_textbox(Inches(left), Inches(2), Inches(4), Inches(1))
    b.text_frame.text = text
    return b


def pp_split(deck, s, cpr):
    p = box(s, "Borger ").text_frame.paragraphs[0]
    for i in range(0, len(cpr), 3):
        run = p.add_run()
        run.text = cpr[i:i + 3]
        run.font.bold = i % 2 == 0


def pp_table(deck, s, cpr):
    from pptx.util import Inches
    t = s.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(6), Inches(1)).table
    t.cell(0, 0).text, t.cell(0, 1).text = "Navn", "CPR"
    t.cell(1, 0).text, t.cell(1, 1).text = "Anna", cpr.replace("-", "")


def pp_notes(deck, s, cpr):
    s.notes_slide.notes_text_frame.text = f"Husk borger {cpr}"


def pp_hidden(deck, s, cpr):
    other = deck.slides.add_slide(deck.slide_layouts[5])
    other.shapes.title.text = f"Borger {cpr}"
    other._element.set("show", "0")


def pp_second(deck, s, cpr):
    other = deck.slides.add_slide(deck.slide_layouts[5])
    other.shapes.title.text = f"Borger {cpr}"


def pp_layout(deck, s, cpr):
    deck.slide_layouts[5].placeholders[0].text_frame.text = f"Borger {cpr}"


def pp_master(deck, s, cpr):
    deck.slide_master.placeholders[0].text_frame.text = f"Borger {cpr}"


def pp_alt(deck, s, cpr):
    from pptx.util import Inches
    p = s.shapes.add_picture(picture(), Inches(1), Inches(2))
    p._element.nvPicPr.cNvPr.set("descr", f"Billede af {cpr}")


def pp_shape_name(deck, s, cpr):
    box(s, "Intet").name = f"Borger {cpr}"


def pp_link(deck, s, cpr):
    p = box(s, "").text_frame.paragraphs[0]
    run = p.add_run()
    run.text = "sagen"
    run.hyperlink.address = f"https://sag.example/{cpr}"


def pp_property(deck, s, cpr):
    deck.core_properties.subject = f"Borger {cpr}"


def pp_chart(deck, s, cpr):
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches
    data = CategoryChartData()
    data.categories = [f"Borger {cpr}", "andre"]
    data.add_series("Antal", (1, 2))
    s.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(2), Inches(5), Inches(4), data)


def pp_part(kind, rel, uri, content_type, body):
    def build(deck, s, cpr):
        from pptx.opc.package import Part
        from pptx.opc.packuri import PackURI
        owner = s.part if kind == "slide" else deck.part
        part = Part(PackURI(uri), content_type, deck.part.package, (XDECL + body.format(cpr=cpr)).encode())
        owner.relate_to(part, rel)
    return build


P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'


def slides():
    slide("body", lambda d, s, c: box(s, f"Borger {c} har søgt"), "slide 1")
    slide("title", lambda d, s, c: setattr(s.shapes.title, "text", f"Borger {c}"), "slide 1")
    slide("second", pp_second, "slide 2")
    slide("split", pp_split, "slide 1")
    slide("table", pp_table, "slide 1")
    slide("notes", pp_notes, "notes of slide 1")
    slide("hidden", pp_hidden, "hidden slide 2", hidden=True)
    slide("layout", pp_layout, "slide master", hidden=True)
    slide("master", pp_master, "slide master", hidden=True)
    slide("alt", pp_alt, "alternative text")
    def hidden_shape(d, s, c):
        box(s, f"Borger {c}")._element.nvSpPr.cNvPr.set("hidden", "1")
    slide("hidden-shape", hidden_shape, "hidden text", hidden=True)
    slide("shape-name", pp_shape_name, "attribute name", hidden=True)
    slide("link", pp_link, "link")
    slide("property", pp_property, "property subject", hidden=True)
    slide("chart", pp_chart, "chart")
    slide("comment", pp_part("slide", XREL + "/comments", "/ppt/comments/comment1.xml", "application/vnd.openxmlformats-officedocument.presentationml.comments+xml",
          f'<p:cmLst {P}><p:cm authorId="0" dt="2026-01-02T03:04:05.000" idx="1"><p:pos x="10" y="10"/><p:text>Borger {{cpr}}</p:text></p:cm></p:cmLst>'), "comment")
    slide("modern-comment", pp_part("slide", "http://schemas.microsoft.com/office/2018/10/relationships/comments", "/ppt/comments/modernComment_100_0.xml", "application/vnd.ms-powerpoint.comments+xml",
          f'<p188:cmLst xmlns:p188="http://schemas.microsoft.com/office/powerpoint/2018/8/main" {P}><p188:cm id="{{{{6A3F5A4B-0000-4000-8000-000000000003}}}}" authorId="{{{{6A3F5A4B-0000-4000-8000-000000000001}}}}" created="2026-01-02T03:04:05.000"><p188:txBody><a:bodyPr/><a:lstStyle/><a:p><a:r><a:t>Borger {{cpr}}</a:t></a:r></a:p></p188:txBody></p188:cm></p188:cmLst>'), "comment")
    slide("tags", pp_part("slide", XREL + "/tags", "/ppt/tags/tag1.xml", "application/vnd.openxmlformats-officedocument.presentationml.tags+xml",
          f'<p:tagLst {P}><p:tag name="CPR" val="{{cpr}}"/></p:tagLst>'), "document settings", hidden=True)
    cpr = number()
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Uden numre"
    deck.save(path("pptx/none-py.pptx"))
    slim("pptx/none-py.pptx")
    expect("pptx/none-py.pptx", "", "-")


# --- OpenDocument by odfpy ----------------------------------------------------------------------------------------------

def odfs():
    from odf import dc, draw, meta, office, style, table, text
    from odf.opendocument import OpenDocumentSpreadsheet, OpenDocumentText, OpenDocumentPresentation
    from odf.namespaces import TEXTNS

    def odt(name, build, place, hidden=False, least="likely"):
        cpr = number()
        d = OpenDocumentText()
        d.text.addElement(text.P(text="Referat af mødet."))
        build(d, cpr)
        d.save(str(path(f"odt/{name}-py.odt")))
        expect(f"odt/{name}-py.odt", cpr, place, hidden, least)

    def add(d, *children, **kw):
        p = text.P(**kw)
        for child in children:
            if isinstance(child, str):
                p.addText(child)
            else:
                p.addElement(child)
        d.text.addElement(p)
        return p

    odt("body", lambda d, c: add(d, f"Borger {c} har søgt"), "text")
    odt("split", lambda d, c: add(d, "Borger ", text.Span(text=c[:3]), text.Span(text=c[3:8]), c[8:]), "text")
    odt("spaces", lambda d, c: add(d, "CPR", text.S(c=2), c[:6], text.S(), c[7:]), "text")
    odt("heading", lambda d, c: d.text.addElement(text.H(outlinelevel=1, text=f"Borger {c}")), "text")

    def annotation(d, c):
        a = office.Annotation()
        a.addElement(dc.Creator(text="Sag"))
        a.addElement(text.P(text=f"Borger {c}"))
        add(d, "Se kommentar", a)
    odt("annotation", annotation, "comment")

    def footnote(kind):
        def build(d, c):
            n = text.Note(noteclass=kind)
            n.addElement(text.NoteCitation(text="1"))
            body = text.NoteBody()
            body.addElement(text.P(text=f"Borger {c}"))
            n.addElement(body)
            add(d, "Se note", n)
        return build
    odt("footnote", footnote("footnote"), "footnote 1")
    odt("endnote", footnote("endnote"), "endnote 1")

    def around(d, c):
        n = text.Note(noteclass="footnote")
        n.addElement(text.NoteCitation(text="1"))
        body = text.NoteBody()
        body.addElement(text.P(text="intet"))
        n.addElement(body)
        add(d, f"Borger {c[:6]}", n, c[6:])
    odt("around-note", around, "text")

    def hidden_span(d, c):
        s = style.Style(name="Skjult", family="text")
        s.addElement(style.TextProperties(display="none"))
        d.automaticstyles.addElement(s)
        add(d, "Note ", text.Span(stylename=s, text=c))
    odt("hidden-text", hidden_span, "hidden text", True)

    def white(d, c):
        s = style.Style(name="Hvid", family="text")
        s.addElement(style.TextProperties(color="#ffffff"))
        d.automaticstyles.addElement(s)
        add(d, "Note ", text.Span(stylename=s, text=c))
    odt("white", white, "hidden text", True)

    def hidden_section(d, c):
        s = text.Section(name="Bag", display="none")
        s.addElement(text.P(text=f"Borger {c}"))
        d.text.addElement(s)
    odt("hidden-section", hidden_section, "hidden text", True)

    def tracked(half):
        def build(d, c):
            changes = text.TrackedChanges()
            region = text.ChangedRegion(check_grammar=False)
            region.attributes[(TEXTNS, "id")] = "ct1"
            deletion = text.Deletion()
            info = office.ChangeInfo()
            info.addElement(dc.Creator(text="A"))
            deletion.addElement(info)
            deletion.addElement(text.P(text=c[8:] if half else f"Borger {c}"))
            region.addElement(deletion)
            changes.addElement(region)
            d.text.insertBefore(changes, d.text.childNodes[0])
            add(d, f"Borger {c[:8]}" if half else "Borger ", text.Change(changeid="ct1"), " har søgt")
        return build
    odt("deleted", tracked(False), "tracked change", True)
    odt("deleted-half", tracked(True), "tracked change", True)

    def link(d, c):
        add(d, text.A(href=f"https://sag.example/{c}", text="sagen"))
    odt("link", link, "link")

    def odt_table(d, c):
        t = table.Table(name="T")
        t.addElement(table.TableColumn(numbercolumnsrepeated=2))
        for row in (["Navn", "CPR"], ["Anna", c.replace("-", "")]):
            r = table.TableRow()
            for value in row:
                cell = table.TableCell()
                cell.addElement(text.P(text=value))
                r.addElement(cell)
            t.addElement(r)
        d.text.addElement(t)
    odt("table", odt_table, "text")

    def property_(d, c):
        d.meta.addElement(dc.Title(text=f"Borger {c}"))
    odt("property", property_, "property title", True)

    def user_defined(d, c):
        d.meta.addElement(meta.UserDefined(name="CPR", text=c.replace("-", "")))
    odt("custom-property", user_defined, "property CPR", True)

    def variable(d, c):
        decls = text.UserFieldDecls()
        decls.addElement(text.UserFieldDecl(name="borger", valuetype="string", stringvalue=f"Borger {c}"))
        d.text.insertBefore(decls, d.text.childNodes[0])
    odt("variable", variable, "document settings", True)

    def bookmark(d, c):
        add(d, text.Bookmark(name=f"borger {c}"), "her")
    odt("bookmark", bookmark, "style or bookmark name", True)

    def frame(d, c):
        f = draw.Frame(width="5cm", height="2cm", anchortype="paragraph")
        b = draw.TextBox()
        b.addElement(text.P(text=f"Borger {c}"))
        f.addElement(b)
        add(d, "Se feltet", f)
    odt("textbox", frame, "text box")

    def alt(d, c):
        from odf import svg
        f = draw.Frame(width="5cm", height="2cm", anchortype="paragraph")
        href = d.addPictureFromString(picture().getvalue(), "image/png")
        f.addElement(draw.Image(href=href))
        f.addElement(svg.Desc(text=f"Billede af {c}"))
        add(d, f)
    odt("alt", alt, "alternative text")

    def header(d, c):
        layout = style.PageLayout(name="L")
        d.automaticstyles.addElement(layout)
        page = style.MasterPage(name="Standard", pagelayoutname=layout)
        h = style.Header()
        h.addElement(text.P(text=f"Sag om {c}"))
        page.addElement(h)
        d.masterstyles.addElement(page)
    odt("header", header, "page header")

    def ods(name, build, place, hidden=False, least="likely"):
        cpr = number(plain=True)
        d = OpenDocumentSpreadsheet()
        t = table.Table(name="Borgere")
        build(d, t, cpr)
        d.spreadsheet.addElement(t)
        d.save(str(path(f"ods/{name}-py.ods")))
        expect(f"ods/{name}-py.ods", cpr, place, hidden, least)

    def row(t, *values, **kw):
        r = table.TableRow(**kw)
        for value in values:
            if isinstance(value, tuple):
                cell = table.TableCell(valuetype="float", value=value[0])
                cell.addElement(text.P(text=value[1]))
            else:
                cell = table.TableCell(valuetype="string")
                cell.addElement(text.P(text=value))
            r.addElement(cell)
        t.addElement(r)
        return r

    ods("string", lambda d, t, c: (row(t, "Note"), row(t, "x", f"Borger {dashed(c)}")), "sheet Borgere, cell B2")
    ods("number", lambda d, t, c: (row(t, "Navn", "CPR"), row(t, "Anna", (int(c), str(int(c))))), "sheet Borgere, cell B2")
    ods("number-alone", lambda d, t, c: (row(t, "Navn", "Nr."), row(t, "Anna", (int(c), str(int(c))))), "sheet Borgere, cell B2", least="possible")
    ods("shown", lambda d, t, c: (row(t, "Navn", "Nr."), row(t, "Anna", (int(c), dashed(c)))), "sheet Borgere, cell B2")
    ods("split", lambda d, t, c: (row(t, "CPR", "Løbenr."), row(t, c[:6], c[6:])), "sheet Borgere, cell A2")
    ods("hidden-row", lambda d, t, c: (row(t, "a"), row(t, f"Borger {dashed(c)}", visibility="collapse")), "sheet Borgere, cell A2 in a hidden row", True)

    def hidden_sheet(d, t, c):
        s = style.Style(name="Væk", family="table")
        s.addElement(style.TableProperties(display="false"))
        d.automaticstyles.addElement(s)
        t.setAttribute("stylename", s)
        row(t, f"Borger {dashed(c)}")
    ods("hidden-sheet", hidden_sheet, "hidden sheet Borgere, cell A1", True)

    def ods_note(d, t, c):
        r = row(t, "Se note")
        a = office.Annotation()
        a.addElement(text.P(text=f"Borger {dashed(c)}"))
        r.childNodes[0].insertBefore(a, r.childNodes[0].childNodes[0])
    ods("annotation", ods_note, "comment")

    d = OpenDocumentText()
    d.text.addElement(text.P(text="Uden numre."))
    d.save(str(path("odt/none-py.odt")))
    expect("odt/none-py.odt", "", "-")


# --- LibreOffice ------------------------------------------------------------------------------------------------------

# LibreOffice's own mind: a field that links is a link, notes are counted from 1, white is a property of the text.
OTHERWISE = {
    "field-code-lo": ("link", "shown"),
    "odt/footnote-lo.odt": ("footnote 1", "shown"),
    "odt/footnote-lo.fodt": ("footnote 1", "shown"),
    "odt/endnote-lo.odt": ("endnote 1", "shown"),
    "ods/white-lo.ods": ("hidden text", "hidden"),
}


def libreoffice():
    """The same documents as LibreOffice writes them: OpenDocument, and its own OOXML."""
    wanted = {
        "docx": [("odt", "odt"), ("docx", "docx"), ("fodt", "odt")],
        "xlsx": [("ods", "ods"), ("xlsx", "xlsx")],
        "pptx": [("odp", "odp"), ("pptx", "pptx")],
    }
    some = {
        "docx": "body split table table-split header footer vanish deleted deleted-half field-code link alt textbox comment footnote endnote custom-property property-title nested-table white none",
        "xlsx": "string column number-heading number-alone number-format-hyphen number-format-zeros split-numbers split-date chart-numbers hidden-sheet hidden-row hidden-column comment sheet-name page-header validation chart-title property white none",
        "pptx": "body title second split table notes hidden alt link property chart comment none",
    }
    known = {row[0]: row for row in ROWS}
    for kind, targets in wanted.items():
        for to, folder in targets:
            if to == "fodt":
                names = ["body", "split", "deleted-half", "footnote"]
            else:
                names = some[kind].split()
            sources = [str(HERE / kind / f"{n}-py.{kind}") for n in names]
            with tempfile.TemporaryDirectory() as out:
                subprocess.run(["soffice", f"-env:UserInstallation=file://{out}/profile", "--headless", "--convert-to", to, "--outdir", out, *sources], check=True, stdout=subprocess.DEVNULL)
                for n in names:
                    made = pathlib.Path(out) / f"{n}-py.{to}"
                    file = f"{folder}/{n}-lo.{to}"
                    shutil.copy(made, path(file))
                    _, digits, place, hidden, least = known[f"{kind}/{n}-py.{kind}"]
                    place, hidden = OTHERWISE.get(file, OTHERWISE.get(f"{n}-lo", (place, hidden)))
                    ROWS.append((file, digits, place, hidden, least))


if __name__ == "__main__":
    for kind in ("docx", "xlsx", "pptx", "odt", "ods", "odp"):
        shutil.rmtree(HERE / kind, ignore_errors=True)
    words()
    sheets()
    slides()
    odfs()
    if "--without-libreoffice" not in sys.argv:
        libreoffice()
    with open(HERE / "expected.tsv", "w") as f:
        f.write("# file\tdigits\tplace\thidden\tleast confidence\n")
        f.writelines("\t".join(row) + "\n" for row in ROWS)
    print(len(ROWS), "files")
