#!/usr/bin/env python3
"""Makes the PDF samples of this folder with the programs that people make PDFs with; one place a file.

Needs: reportlab fpdf2 pikepdf weasyprint pycairo (pip), ghostscript chromium qpdf libreoffice-writer (apt). All numbers are made up: 251248-9996 and
numbers generated from a fixed seed. Run in this folder; prints nothing. The tests read the files and expected.yaml, never this script.
"""
import io, os, random, subprocess, sys, tempfile
import pikepdf
from pikepdf import Name, Dictionary, Array, String, Stream
from reportlab.pdfgen import canvas
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.lib import colors

random.seed(20260101)
W = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
def number():
    while True:
        s = '%02d%02d%02d' % (random.randint(1, 28), random.randint(1, 12), random.randint(40, 99)) + '%04d' % random.randint(0, 3999)
        if sum(int(d) * w for d, w in zip(s, W)) % 11 == 0:
            return s

rows = []
def row(name, digits, place, hidden=False, fake=False, doubts=(), redact='clean', keep=()):
    rows.append(dict(file=name, digits=digits, place=place, hidden=hidden, fake=fake, doubts=list(doubts), redact=redact))

DEJAVU = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'
pdfmetrics.registerFont(TTFont('DejaVu', DEJAVU))

def rl(name, draw, **kw):
    c = canvas.Canvas(name, pagesize=A4, pageCompression=kw.pop('compress', 1), invariant=1, **kw)
    draw(c)
    c.showPage()
    c.save()

def dash(d): return d[:6] + '-' + d[6:]
def around(c, y=760):
    c.setFont('Helvetica', 12)
    c.drawString(72, y, 'Afgørelse i sagen om byggetilladelse')
    c.drawString(72, 100, 'Med venlig hilsen, Teknik og Miljø')

# --- reportlab: text
d = number()
def f(c): around(c); c.drawString(72, 700, 'Borgerens CPR-nummer er %s i sagen' % dash(d))
rl('rl-plain.pdf', f); row('rl-plain.pdf', d, 'page 1')
rl('rl-uncompressed.pdf', f, compress=0); row('rl-uncompressed.pdf', d, 'page 1')

d = number()
def f(c):
    around(c); c.setFont('DejaVu', 11); c.drawString(72, 700, 'Ægtefælle født %s på Sjælland' % dash(d))
rl('rl-truetype.pdf', f); row('rl-truetype.pdf', d, 'page 1')

d = number()
def f(c):
    around(c); x = 72
    c.drawString(x, 700, 'CPR: '); x += c.stringWidth('CPR: ', 'Helvetica', 12)
    for ch in dash(d):
        c.drawString(x, 700, ch); x += c.stringWidth(ch, 'Helvetica', 12)
    c.drawString(x + 4, 700, 'slut')
rl('rl-one-by-one.pdf', f); row('rl-one-by-one.pdf', d, 'page 1')

d = number()
def f(c):
    around(c); t = c.beginText(72, 700); t.setCharSpace(6); t.textOut('CPR ' + d); c.drawText(t)
rl('rl-letter-spaced.pdf', f); row('rl-letter-spaced.pdf', d, 'page 1')

d = number()
def f(c):
    around(c); x = 72
    for ch in d: c.rect(x - 2, 695, 16, 18); c.drawString(x, 700, ch); x += 16
    c.drawString(72, 720, 'CPR-nummer')
rl('rl-boxes.pdf', f); row('rl-boxes.pdf', d, 'page 1')

d = number()
def f(c):
    around(c)
    for i, (a, b, e) in enumerate([('Navn', 'Født', 'Løbenr.'), ('Karen Jensen', d[:6], d[6:])]):
        c.drawString(72, 700 - 20 * i, a); c.drawString(220, 700 - 20 * i, b); c.drawString(300, 700 - 20 * i, e)
rl('rl-cells.pdf', f); row('rl-cells.pdf', d, 'page 1')

d = number()
def f(c):
    around(c)
    left = ['Sagen er behandlet efter', 'lov om social service.', 'Borgeren har CPR-nr. %s-' % d[:6], d[6:] + ' og bor i kommunen.', 'Klage kan sendes hertil.']
    right = ['Ankestyrelsen skriver,', 'at fristen er fire uger', 'fra den dag, hvor du', 'fik brevet. Hvis der er', 'spørgsmål, så ring.']
    for i, (a, b) in enumerate(zip(left, right)): pass
    for i, a in enumerate(left): c.drawString(72, 700 - 14 * i, a)
    for i, b in enumerate(right): c.drawString(320, 700 - 14 * i, b)
rl('rl-columns.pdf', f); row('rl-columns.pdf', d, 'source')

d = number()
def f(c):
    around(c); c.saveState(); c.translate(300, 400); c.rotate(90); c.drawString(0, 0, 'CPR ' + dash(d)); c.restoreState()
rl('rl-turned.pdf', f); row('rl-turned.pdf', d, 'page 1')

d = number()
def f(c):
    around(c); c.beginForm('stempel'); c.setFont('Helvetica', 12); c.drawString(0, 0, 'Journal CPR ' + dash(d)); c.endForm()
    c.saveState(); c.translate(72, 650); c.doForm('stempel'); c.restoreState()
    c.showPage(); c.setFont('Helvetica', 12); c.drawString(72, 600, 'Side to'); c.translate(72, 650); c.doForm('stempel')
rl('rl-form-xobject.pdf', f); row('rl-form-xobject.pdf', d, 'page 1')

d = number()
def f(c):
    for i in range(3): around(c); c.drawString(72, 500, 'Side %d' % (i + 1)); c.showPage()
    around(c); c.drawString(72, 500, 'CPR ' + dash(d))
rl('rl-page-four.pdf', f); row('rl-page-four.pdf', d, 'page 4')

d = number()
def f(c):
    around(c); t = c.beginText(72, 700); t.setFont('Helvetica', 12)
    t._code.append('[(CPR: ) %s] TJ' % ' '.join('(%s) %d' % (ch, random.choice((-20, 15, 8))) for ch in dash(d))); t._code.append('T* (efter) Tj'); c.drawText(t)
rl('rl-tj-array.pdf', f); row('rl-tj-array.pdf', d, 'page 1')

d = number()
def f(c):
    around(c); t = c.beginText(72, 700); t.setFont('Helvetica', 12); t.setLeading(14)
    t._code.append("(CPR er) ' 1 0.5 (%s i dag) \"" % dash(d)); c.drawText(t)
rl('rl-quote-operators.pdf', f); row('rl-quote-operators.pdf', d, 'page 1')

d = number()
def f(c):
    around(c)
    for dx in (0, 0.3): c.drawString(72 + dx, 700, 'CPR ' + dash(d))
rl('rl-bold-twice.pdf', f); row('rl-bold-twice.pdf', d, 'page 1')

# --- reportlab: hidden and covered
d = number()
def f(c): around(c); c.drawString(72, 700, 'CPR: ' + dash(d)); c.setFillColor(colors.black); c.rect(100, 696, 90, 14, fill=1, stroke=0)
rl('rl-black-box.pdf', f); row('rl-black-box.pdf', d, 'page 1', hidden=True, fake=True)
d = number()
def f(c): around(c); c.drawString(72, 700, 'CPR: ' + dash(d)); c.setFillColor(colors.black); c.rect(145, 696, 60, 14, fill=1, stroke=0)
rl('rl-half-box.pdf', f); row('rl-half-box.pdf', d, 'page 1', hidden=True, fake=True)
d = number()
def f(c): around(c); c.drawString(72, 700, 'CPR: ' + dash(d)); c.setLineWidth(16); c.line(98, 704, 190, 704)
rl('rl-thick-line.pdf', f); row('rl-thick-line.pdf', d, 'page 1', hidden=True, fake=True)
d = number()
def f(c):
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    around(c); c.drawString(72, 700, 'CPR: ' + dash(d)); c.drawImage(ImageReader(Image.new('RGB', (20, 4), (60, 60, 60))), 98, 694, 100, 18)
rl('rl-picture-over.pdf', f); row('rl-picture-over.pdf', d, 'page 1', hidden=True, fake=True)
d = number()
def f(c): around(c); c.setFillColor(colors.white); c.drawString(72, 700, 'CPR ' + dash(d)); c.setFillColor(colors.black)
rl('rl-white.pdf', f); row('rl-white.pdf', d, 'page 1', hidden=True)
d = number()
def f(c): around(c); t = c.beginText(72, 700); t.setTextRenderMode(3); t.textOut('CPR ' + dash(d)); c.drawText(t)
rl('rl-invisible.pdf', f); row('rl-invisible.pdf', d, 'page 1', hidden=True)
d = number()
def f(c): around(c); c.drawString(72, 900, 'CPR ' + dash(d)); c.drawString(700, 300, 'uden for')
rl('rl-off-page.pdf', f); row('rl-off-page.pdf', d, 'page 1', hidden=True)
d = number()
def f(c):
    around(c); c.saveState(); p = c.beginPath(); p.rect(72, 500, 100, 20); c.clipPath(p, stroke=0); c.drawString(72, 700, 'CPR ' + dash(d)); c.drawString(75, 505, 'synlig'); c.restoreState()
rl('rl-clipped.pdf', f); row('rl-clipped.pdf', d, 'page 1', hidden=True)
d = number()
def f(c): around(c); c.setFont('Helvetica', 0.3); c.drawString(72, 700, 'CPR ' + dash(d))
rl('rl-tiny.pdf', f); row('rl-tiny.pdf', d, 'page 1', hidden=True)
d = number()
def f(c): around(c); c.setFillColor(colors.white); c.rect(70, 690, 200, 30, fill=1, stroke=0); c.setFillColor(colors.black); c.rect(70, 690, 200, 30, fill=1, stroke=0); c.setFillColor(colors.white); c.drawString(72, 700, 'CPR ' + dash(d))
rl('rl-white-on-black.pdf', f); row('rl-white-on-black.pdf', d, 'page 1')

# --- reportlab: beside the pages
d = number()
def f(c): around(c); c.setTitle('Sag om CPR ' + dash(d)); c.setAuthor('Sagsbehandler')
rl('rl-title.pdf', f); row('rl-title.pdf', d, 'properties of the document', hidden=True)
d = number()
def f(c): around(c); c.bookmarkPage('p'); c.addOutlineEntry('CPR ' + dash(d) + ' æ', 'p')
rl('rl-bookmark.pdf', f); row('rl-bookmark.pdf', d, 'bookmark')
d = number()
def f(c): around(c); c.linkURL('https://intra.example/borger?cpr=' + d, (72, 690, 200, 710)); c.drawString(72, 700, 'Se borgeren')
rl('rl-link.pdf', f); row('rl-link.pdf', d, 'link', hidden=True)
d = number()
def f(c): around(c); c.textAnnotation('Husk CPR ' + dash(d), Rect=[72, 680, 92, 700])
rl('rl-note.pdf', f); row('rl-note.pdf', d, 'note on page 1')
d = number()
def f(c):
    around(c); c.drawString(72, 700, 'CPR-nummer'); c.acroForm.textfield(name='cpr', value=dash(d), x=160, y=694, width=160, height=20)
rl('rl-field.pdf', f); row('rl-field.pdf', d, 'form field')

# --- pikepdf: what programs leave behind
def base(text='Almindelig tekst'):
    b = io.BytesIO(); c = canvas.Canvas(b, pagesize=A4, invariant=1); around(c); c.drawString(72, 640, text); c.showPage(); c.save(); b.seek(0); return pikepdf.open(b)

d = number(); p = base()
with p.open_metadata() as m: m['dc:description'] = 'Sag CPR ' + dash(d)
del p.trailer['/Info']; p.save('pike-xmp.pdf', static_id=True); row('pike-xmp.pdf', d, 'properties of the document', hidden=True)
d = number(); p = base(); p.attachments['notat.txt'] = pikepdf.AttachedFileSpec(p, ('CPR ' + dash(d)).encode(), filename='notat.txt', mime_type='text/plain'); p.save('pike-attachment.pdf', static_id=True); row('pike-attachment.pdf', d, 'text')
d = number(); inner = io.BytesIO(); q = base('CPR ' + dash(d)); q.save(inner, static_id=True)
p = base(); p.attachments['bilag.pdf'] = pikepdf.AttachedFileSpec(p, inner.getvalue(), filename='bilag.pdf', mime_type='application/pdf'); p.save('pike-attached-pdf.pdf', static_id=True); row('pike-attached-pdf.pdf', d, 'page 1')
d = number(); p = base(); p.attachments[dash(d) + '.txt'] = pikepdf.AttachedFileSpec(p, b'tom', filename='cpr ' + dash(d) + '.txt'); p.save('pike-attachment-name.pdf', static_id=True); row('pike-attachment-name.pdf', d, 'file name')
d = number(); p = base('CPR ' + dash(d)); p.save('pike-object-streams.pdf', object_stream_mode=pikepdf.ObjectStreamMode.generate, static_id=True); row('pike-object-streams.pdf', d, 'page 1')
d = number(); p = base('CPR ' + dash(d)); p.save('pike-owner-password.pdf', encryption=pikepdf.Encryption(owner='ejer', user='', R=6)); row('pike-owner-password.pdf', d, 'page 1', redact='refused')
d = number(); p = base('CPR ' + dash(d)); p.save('pike-owner-password-rc4.pdf', encryption=pikepdf.Encryption(owner='ejer', user='', R=3, aes=False, metadata=False)); row('pike-owner-password-rc4.pdf', d, 'page 1', redact='refused')
p = base('CPR 251248-9996'); p.save('pike-user-password.pdf', encryption=pikepdf.Encryption(owner='ejer', user='bruger', R=6)); row('pike-user-password.pdf', '', '', doubts=['encrypted'], redact='refused')

def increment(name, first, change):
    """An incremental update, as editors save: the old objects stay."""
    b = io.BytesIO(); c = canvas.Canvas(b, pagesize=A4, invariant=1); around(c); c.drawString(72, 640, first); c.showPage(); c.save(); old = b.getvalue()
    p = pikepdf.open(io.BytesIO(old)); page = p.pages[0]; num = page.Contents.objgen[0]
    new = change(page.Contents.read_bytes())
    at = len(old); start = old.rindex(b'startxref'); prev = int(old[start:].split()[1])
    obj = b'%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n' % (num, len(new), new)
    xref = at + len(obj)
    trailer = b'xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n' % (num, at, len(p.objects) + 1, p.Root.objgen[0], prev, xref)
    open(name, 'wb').write(old + obj + trailer)
d = number(); increment('update-earlier.pdf', 'CPR ' + dash(d), lambda s: s.replace(dash(d).encode(), b'XXXXXX-XXXX')); row('update-earlier.pdf', d, 'earlier version of the document', hidden=True)
d = number(); increment('update-both.pdf', 'CPR ' + dash(d), lambda s: s.replace(b'CPR', b'cpr')); row('update-both.pdf', d, 'page 1')

d = number(); p = base(); p.make_indirect(Stream(p, ('BT /F1 12 Tf 72 600 Td (CPR %s) Tj ET' % dash(d)).encode()))
raw = io.BytesIO(); p.Root.Leftover = p.objects[-1]; p.save(raw, static_id=True, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
data = raw.getvalue(); import re
data = re.sub(rb'/Leftover \d+ 0 R', lambda m: b' ' * len(m.group()), data); open('left-object.pdf', 'wb').write(data); row('left-object.pdf', d, 'earlier version of the document', hidden=True)

d = number(); p = base(); page = p.pages[0]
ocg = p.make_indirect(Dictionary(Type=Name.OCG, Name='Kladde')); p.Root.OCProperties = Dictionary(OCGs=[ocg], D=Dictionary(OFF=[ocg], Order=[ocg]))
page.Resources.Properties = Dictionary(MC0=ocg); page.contents_add(b'/OC /MC0 BDC BT /F1 12 Tf 72 600 Td (CPR %s) Tj ET EMC' % dash(d).encode())
p.save('pike-layer-off.pdf', static_id=True); row('pike-layer-off.pdf', d, 'page 1', hidden=True)

d = number(); p = base(); p.pages[0].contents_add(b'/Span << /ActualText (CPR %s) >> BDC BT /F1 12 Tf 72 600 Td (se bilag) Tj ET EMC' % dash(d).encode()); p.save('pike-actual-text.pdf', static_id=True); row('pike-actual-text.pdf', d, 'attribute alt', hidden=True)

d = number(); p = base('CPR: ' + dash(d)); page = p.pages[0]
page.Annots = p.make_indirect(Array([p.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Redact, Rect=[95, 636, 190, 652], QuadPoints=[95, 652, 190, 652, 95, 636, 190, 636], IC=[0, 0, 0]))])); p.save('pike-redact-unapplied.pdf', static_id=True); row('pike-redact-unapplied.pdf', d, 'page 1', hidden=True, fake=True)
d = number(); p = base('CPR: ' + dash(d)); page = p.pages[0]
ap = p.make_indirect(Stream(p, b'0 g 0 0 95 16 re f', Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 95, 16]))
page.Annots = p.make_indirect(Array([p.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=[95, 636, 190, 652], IC=[0, 0, 0], AP=Dictionary(N=ap)))])); p.save('pike-square-over.pdf', static_id=True); row('pike-square-over.pdf', d, 'page 1', hidden=True, fake=True)
d = number(); p = base(); page = p.pages[0]
ap = p.make_indirect(Stream(p, b'BT /F1 12 Tf 2 2 Td (CPR %s) Tj ET' % dash(d).encode(), Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 200, 16], Resources=page.Resources))
page.Annots = p.make_indirect(Array([p.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.FreeText, Rect=[95, 600, 295, 616], Contents='note', AP=Dictionary(N=ap)))])); p.save('pike-free-text.pdf', static_id=True); row('pike-free-text.pdf', d, 'note on page 1')

d = number(); p = base(); page = p.pages[0]
ten = {str(i): p.make_indirect(Stream(p, b'600 0 0 0 500 700 d1 0 0 500 700 re f')) for i in range(10)}
procs = Dictionary({'/' + n: ten[str(i)] for i, n in enumerate('zero one two three four five six seven eight nine'.split())})
page.Resources.Font.T3 = p.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 600, 700], FontMatrix=[0.001, 0, 0, 0.001, 0, 0], CharProcs=procs, Encoding=Dictionary(Differences=Array([65] + [Name('/' + n) for n in 'zero one two three four five six seven eight nine'.split()])), FirstChar=65, LastChar=74, Widths=[600] * 10))
page.contents_add(b'BT /F1 12 Tf 72 600 Td (CPR ) Tj /T3 12 Tf (%s) Tj ET' % ''.join(chr(65 + int(x)) for x in d).encode()); p.save('pike-type3.pdf', static_id=True); row('pike-type3.pdf', d, 'page 1')

d = number(); p = base('Beskåret'); p.pages[0].contents_add(b'BT /F1 12 Tf 72 40 Td (CPR %s) Tj ET' % dash(d).encode()); p.pages[0].CropBox = Array([0, 80, 595, 842]); p.save('pike-cropped.pdf', static_id=True); row('pike-cropped.pdf', d, 'page 1', hidden=True)

# --- other programs
from fpdf import FPDF
d = number(); g = FPDF(); g.add_page(); g.add_font('dv', '', DEJAVU); g.set_font('dv', size=12); g.cell(0, 10, 'Borger CPR %s, Ærø' % dash(d)); g.set_creation_date(__import__('datetime').datetime(2026, 1, 1)); g.output('fpdf.pdf'); row('fpdf.pdf', d, 'page 1')

d = number(); import cairo
s = cairo.PDFSurface('cairo.pdf', 595, 842); x = cairo.Context(s); x.select_font_face('DejaVu Sans'); x.set_font_size(12); x.move_to(72, 100); x.show_text('CPR %s i sagen' % dash(d)); x.show_page(); s.finish(); row('cairo.pdf', d, 'page 1')

HTML = '<html><body style="font:12pt DejaVu Sans"><h1>Afgørelse</h1><p>Borger med <b>CPR</b> %s<b>%s</b>-%s er hørt.</p><table><tr><td>Navn</td><td>Sag</td></tr><tr><td>Karen</td><td>7</td></tr></table></body></html>'
import weasyprint
d = number(); weasyprint.HTML(string=HTML % (d[:4], d[4:6], d[6:])).write_pdf('weasyprint.pdf'); row('weasyprint.pdf', d, 'page 1')
d = number()
with tempfile.TemporaryDirectory() as t:
    open(t + '/a.html', 'w').write('<meta charset=utf-8>' + HTML % (d[:4], d[4:6], d[6:]))
    subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--no-pdf-header-footer', '--print-to-pdf=chromium.pdf', 'file://' + t + '/a.html'], check=True, capture_output=True)
row('chromium.pdf', d, 'page 1')
def gs(src, out, *more): subprocess.run(['gs', '-q', '-dNOPAUSE', '-dBATCH', '-sDEVICE=pdfwrite', *more, '-sOutputFile=' + out, src], check=True)
gs('rl-plain.pdf', 'ghostscript.pdf'); row('ghostscript.pdf', rows[0]['digits'], 'page 1')
gs('cairo.pdf', 'ghostscript-subset.pdf', '-dPDFSETTINGS=/printer'); row('ghostscript-subset.pdf', [r for r in rows if r['file'] == 'cairo.pdf'][0]['digits'], 'page 1')
d = number()
with tempfile.TemporaryDirectory() as t:
    open(t + '/a.ps', 'w').write('%%!PS\n/Times-Roman findfont 12 scalefont setfont 72 700 moveto (CPR %s i PostScript) show showpage\n' % dash(d)); gs(t + '/a.ps', 'ghostscript-ps.pdf')
row('ghostscript-ps.pdf', d, 'page 1')
subprocess.run(['qpdf', '--linearize', '--static-id', 'rl-plain.pdf', 'qpdf-linearized.pdf'], check=True); row('qpdf-linearized.pdf', rows[0]['digits'], 'page 1')

# --- pictures, signed, damaged
from PIL import Image, ImageDraw, ImageFont
im = Image.new('L', (600, 800), 255); ImageDraw.Draw(im).text((40, 40), 'CPR 251248-9996'); im.save('scanned.pdf'); row('scanned.pdf', '2512489996', 'text in the picture, read by OCR', redact='refused')
d = number(); p = base('CPR ' + dash(d)); p.Root.AcroForm = Dictionary(SigFlags=3, Fields=Array([p.make_indirect(Dictionary(FT=Name.Sig, T='Underskrift', V=p.make_indirect(Dictionary(Type=Name.Sig, Filter=Name('/Adobe.PPKLite'), SubFilter=Name('/adbe.pkcs7.detached'), ByteRange=[0, 10, 20, 30], Contents=String(b'\0' * 64)))))])); p.save('signed.pdf', static_id=True); row('signed.pdf', d, 'page 1', redact='refused')
whole = open('rl-uncompressed.pdf', 'rb').read(); open('truncated.pdf', 'wb').write(whole[:len(whole) * 2 // 3]); row('truncated.pdf', '', '', doubts=['broken'], redact='any')
open('prefixed.pdf', 'wb').write(b'\n\nHTTP junk\n' + open('rl-plain.pdf', 'rb').read()); row('prefixed.pdf', rows[0]['digits'], 'page 1', redact='clean')

# --- without numbers
def f(c):
    around(c)
    for i, t in enumerate(['Telefon 33 12 34 56, kontonummer 1234 0123456789', 'Sagsnr. 13.00.00-K04-12-19, faktura 2026-000123', 'EAN 5790001234567, mødet er den 01.01.2026 kl. 12.30']): c.drawString(72, 700 - 16 * i, t)
rl('clean.pdf', f); row('clean.pdf', '', '', redact='same')
row('clean-chromium.pdf', '', '', redact='same')
with tempfile.TemporaryDirectory() as t:
    open(t + '/a.html', 'w').write('<meta charset=utf-8><h1>Referat</h1><p>Mødet blev holdt 12. marts 2026.</p>')
    subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--no-pdf-header-footer', '--print-to-pdf=clean-chromium.pdf', 'file://' + t + '/a.html'], check=True, capture_output=True)

# --- more of what editors do
d = number(); p = base('CPR: ' + dash(d)); page = p.pages[0]
page.Annots = p.make_indirect(Array([p.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Highlight, C=[0, 0, 0], Rect=[95, 636, 190, 652], QuadPoints=[95, 652, 190, 652, 95, 636, 190, 636]))])); p.save('pike-black-highlight.pdf', static_id=True); row('pike-black-highlight.pdf', d, 'page 1', hidden=True, fake=True)
d = number(); p = base('CPR: ' + dash(d)); page = p.pages[0]
ap = p.make_indirect(Stream(p, b'/G gs 12 w 0 G 6 8 m 30 9 60 7 88 8 c S', Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 95, 16], Resources=Dictionary(ExtGState=Dictionary(G=Dictionary(BM=Name.Multiply)))))
page.Annots = p.make_indirect(Array([p.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Ink, Rect=[95, 636, 190, 652], InkList=[[96, 644, 190, 644]], AP=Dictionary(N=ap)))])); p.save('pike-pen-over.pdf', static_id=True); row('pike-pen-over.pdf', d, 'page 1', hidden=True, fake=True)
d = number(); p = base('Gul CPR ' + dash(d)); p.pages[0].Resources.ExtGState = Dictionary(G=Dictionary(BM=Name.Multiply)); p.pages[0].contents_add(b'/G gs 1 1 0 rg 95 636 95 16 re f'); p.save('pike-yellow-marker.pdf', static_id=True); row('pike-yellow-marker.pdf', d, 'page 1')
d = number(); p = base(); page = p.pages[0]
pattern = p.make_indirect(Stream(p, b'BT /F1 12 Tf 2 2 Td (CPR %s) Tj ET' % dash(d).encode(), Type=Name.Pattern, PatternType=1, PaintType=1, TilingType=1, BBox=[0, 0, 150, 20], XStep=150, YStep=20, Resources=page.Resources))
page.Resources.Pattern = Dictionary(P=pattern); page.contents_add(b'/Pattern cs /P scn 72 500 300 40 re f'); p.save('pike-pattern.pdf', static_id=True); row('pike-pattern.pdf', d, 'hidden text', hidden=True)
d = number(); p = base(); p.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String('x'), Dictionary(S=Name.JavaScript, JS=String('var cpr = "%s";' % d))]))); p.save('pike-script.pdf', static_id=True); row('pike-script.pdf', d, 'hidden text', hidden=True)
d = number(); p = base(); fields = p.make_indirect(Array([p.make_indirect(Dictionary(FT=Name.Ch, T=String('Vælg'), Opt=Array([String('CPR ' + dash(d)), String('andet')]), V=String('andet')))])); p.Root.AcroForm = Dictionary(Fields=fields, XFA=Array([String('datasets'), p.make_indirect(Stream(p, b'<xfa:data><navn>Karen</navn></xfa:data>'))])); p.save('pike-choice.pdf', static_id=True); row('pike-choice.pdf', d, 'form field')
d = number(); p = base(); p.Root.AcroForm = Dictionary(Fields=Array(), XFA=Array([String('datasets'), p.make_indirect(Stream(p, b'<xfa:data><navn>Karen</navn><cpr>%s</cpr></xfa:data>' % d.encode()))])); p.save('pike-xfa.pdf', static_id=True); row('pike-xfa.pdf', d, 'hidden text', hidden=True)
d = number(); p = base('Ren'); page = p.pages[0]; page.PieceInfo = Dictionary(App=Dictionary(LastModified='D:20260101', Private=p.make_indirect(Stream(p, ('gammel CPR ' + dash(d)).encode())))); p.save('pike-private-data.pdf', static_id=True); row('pike-private-data.pdf', d, 'hidden text', hidden=True)
subprocess.run(['qpdf', '--static-id', '--encrypt', '', 'ejer', '128', '--use-aes=y', '--', 'rl-plain.pdf', 'qpdf-aes128.pdf'], check=True); row('qpdf-aes128.pdf', rows[0]['digits'], 'page 1', redact='refused')

d = number(); p = pikepdf.open('scanned.pdf'); p.pages[0].Resources.Font = Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)); p.pages[0].contents_add(b'BT 3 Tr /F1 12 Tf 40 700 Td (CPR %s, og en hel del mere af den tekst som blev genkendt) Tj ET' % dash(d).encode()); p.save('scanned-with-text.pdf', static_id=True); row('scanned-with-text.pdf', d, 'page 1', hidden=True, redact='refused')
d = number(); p = base(); p.pages[0].contents_add(b'0 0 0.4 rg ' + b'300 500 m ' + b' '.join(b'%d %d l' % (300 + 60 * (i % 2), 500 + i) for i in range(60)) + b' f 60 520 m ' + b' '.join(b'%d %d l' % (60 if i < 30 else 400, 520 + i) for i in range(60)) + b' h f 1 g BT /F1 12 Tf 150 550 Td (CPR %s) Tj ET' % dash(d).encode()); p.save('pike-white-on-shape.pdf', static_id=True); row('pike-white-on-shape.pdf', d, 'page 1')
d = number(); p = base(); p.pages[0].contents_add(b'0 g 80 590 200 30 re 82 592 196 26 re f* BT /F1 12 Tf 100 600 Td (CPR %s) Tj ET 0 g 80 590 200 30 re 82 592 196 26 re f*' % dash(d).encode()); p.save('pike-frame.pdf', static_id=True); row('pike-frame.pdf', d, 'page 1')

# --- LibreOffice: a flat Writer document with runs, a table, header, footnote, comment; tagged, as a form, with comments as notes
FODT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.text">
<office:meta><dc:title>%(title)s</dc:title></office:meta>
<office:automatic-styles><style:style style:name="B" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style><style:style style:name="S" style:family="text"><style:text-properties fo:letter-spacing="0.2cm"/></style:style><style:style style:name="J" style:family="paragraph"><style:paragraph-properties fo:text-align="justify"/></style:style><style:page-layout style:name="P"><style:header-style/></style:page-layout></office:automatic-styles>
<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="P"><style:header><text:p>%(header)s</text:p></style:header></style:master-page></office:master-styles>
<office:body><office:text><text:h text:outline-level="1">Afgørelse %(heading)s</text:h><text:p>%(body)s</text:p><text:p text:style-name="J">Sagen er oplyst ved samtaler med borgeren og de pårørende, ved lægens udtalelse og ved de oplysninger, som forvaltningen selv har hentet ind om forholdene i hjemmet. %(justified)s Klage kan sendes inden fire uger.</text:p><table:table><table:table-column table:number-columns-repeated="3"/><table:table-row><table:table-cell><text:p>Navn</text:p></table:table-cell><table:table-cell><text:p>Fødselsdato</text:p></table:table-cell><table:table-cell><text:p>Sidste fire</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>Karen Jensen</text:p></table:table-cell>%(cells)s</table:table-row></table:table><text:p>Slut%(note)s</text:p></office:text></office:body></office:document>"""
def lo(name, place, options='', hidden=False, **parts):
    d = number(); given = dict(title='', header='Kommunen', heading='', body='Tekst', justified='', cells='<table:table-cell/><table:table-cell/>', note='')
    given.update({k: v(d) for k, v in parts.items()})
    with tempfile.TemporaryDirectory() as t:
        open(t + '/a.fodt', 'w').write(FODT % given)
        subprocess.run(['soffice', '-env:UserInstallation=file://' + t + '/home', '--headless', '--convert-to', 'pdf:writer_pdf_Export' + options, '--outdir', t, t + '/a.fodt'], check=True, capture_output=True)
        os.replace(t + '/a.pdf', name)
    row(name, d, place, hidden=hidden)
TAGGED = ':{"UseTaggedPDF":{"type":"boolean","value":"true"},"ExportBookmarks":{"type":"boolean","value":"true"}}'
lo('lo-runs.pdf', 'page 1', body=lambda d: 'CPR <text:span text:style-name="B">%s</text:span>%s-<text:span text:style-name="B">%s</text:span>' % (d[:2], d[2:6], d[6:]))
lo('lo-header.pdf', 'page 1', header=lambda d: 'CPR ' + dash(d))
lo('lo-cells.pdf', 'page 1', cells=lambda d: '<table:table-cell><text:p>%s</text:p></table:table-cell><table:table-cell><text:p>%s</text:p></table:table-cell>' % (d[:6], d[6:]))
lo('lo-justified.pdf', 'page 1', justified=lambda d: 'Borgeren har personnummer %s, og sagen er rejst i januar.' % dash(d))
lo('lo-spaced.pdf', 'page 1', body=lambda d: 'CPR <text:span text:style-name="S">%s</text:span>' % dash(d))
lo('lo-footnote.pdf', 'page 1', note=lambda d: '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>Se CPR %s</text:p></text:note-body></text:note>' % dash(d))
lo('lo-tagged-bookmark.pdf', 'bookmark', TAGGED, heading=lambda d: 'CPR ' + dash(d))
lo('lo-title.pdf', 'properties of the document', hidden=True, title=lambda d: 'CPR ' + dash(d))
lo('lo-comment.pdf', 'note on page 1', ':{"ExportNotes":{"type":"boolean","value":"true"}}', note=lambda d: '<office:annotation><dc:creator>Sagsbehandler</dc:creator><text:p>Husk CPR %s</text:p></office:annotation>' % dash(d))

# --- oddities of real files
d = number(); p = base('Uden'); p.save('pike-no-length.pdf', static_id=True, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.generalized, object_stream_mode=pikepdf.ObjectStreamMode.disable)
data = open('pike-no-length.pdf', 'rb').read(); data = re.sub(rb'/Length \d+', lambda m: b' ' * len(m.group()), data).replace(b'(Uden) Tj', b'(CPR %s) Tj' % d.encode()); open('pike-no-length.pdf', 'wb').write(data); row('pike-no-length.pdf', d, 'page 1', doubts=['broken'], redact='any')
d = number(); p = base(); p.pages[0].contents_add(b'q -1 0 0 1 400 0 cm BT /F1 12 Tf 100 600 Td (CPR %s) Tj ET Q' % dash(d).encode()); p.save('pike-mirrored.pdf', static_id=True); row('pike-mirrored.pdf', d, 'page 1')
d = number(); p = base(); p.pages[0].contents_add(b'BT /F1 12 Tf 100 600 Td (CPR %s) Tj 3.1 0 Td (            ) Tj ET' % dash(d).encode()); p.save('pike-spaces-across.pdf', static_id=True); row('pike-spaces-across.pdf', d, 'page 1')
p = base(); page = p.pages[0]; ten = p.make_indirect(Stream(p, b'600 0 0 0 500 700 d1 0 0 500 700 re f'))
page.Resources.Font.T3 = p.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 600, 700], FontMatrix=[0.001, 0, 0, 0.001, 0, 0], CharProcs=Dictionary({'/g%d' % i: ten for i in range(10)}), Encoding=Dictionary(Differences=Array([65] + [Name('/g%d' % i) for i in range(10)])), FirstChar=65, LastChar=74, Widths=[600] * 10))
page.contents_add(b'BT /F1 12 Tf 72 600 Td (CPR ) Tj /T3 12 Tf (CFBCEJJJJG) Tj ET'); p.save('pike-unnamed-glyphs.pdf', static_id=True); row('pike-unnamed-glyphs.pdf', '', '', doubts=['unread'], redact='refused')
d = number(); p = base('CPR ' + dash(d)); p.pages.append(p.pages[0]); p.pages[1].Contents = p.pages[0].Contents; p.save('pike-shared-content.pdf', static_id=True); row('pike-shared-content.pdf', d, 'page 2')
d = number(); p = base('Afsnit'); page = p.pages[0]; half = p.make_indirect(Stream(p, b'BT /F1 12 Tf 72 600 Td (CPR %s) ' % dash(d).encode())); rest = p.make_indirect(Stream(p, b'Tj 0 -20 Td (efter) Tj ET')); page.Contents = Array([page.Contents, half, rest]); p.save('pike-operator-in-two-streams.pdf', static_id=True); row('pike-operator-in-two-streams.pdf', d, 'page 1')

d = number(); p = base(); p.docinfo['/Title'] = 'Sag om CPR ' + dash(d); raw = io.BytesIO(); p.save(raw, object_stream_mode=pikepdf.ObjectStreamMode.generate, static_id=True); old = raw.getvalue(); p = pikepdf.open(io.BytesIO(old))
num, root, size, prev = p.trailer.Info.objgen[0], p.Root.objgen[0], int(p.trailer.Size), int(old[old.rindex(b'startxref'):].split()[1]); import struct
obj = b'%d 0 obj\n<< /Title (Sag) >>\nendobj\n' % num; at = len(old); table = struct.pack('>BIB', 1, at, 0) + struct.pack('>BIB', 1, at + len(obj), 0)
open('update-compressed.pdf', 'wb').write(old + obj + b'%d 0 obj\n<< /Type /XRef /W [1 4 1] /Index [%d 1 %d 1] /Size %d /Root %d 0 R /Info %d 0 R /Prev %d /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n' % (size, num, size, size + 1, root, num, prev, len(table), table, at + len(obj)))
row('update-compressed.pdf', d, 'earlier version of the document', hidden=True)

def two(first, second):
    b = io.BytesIO(); c = canvas.Canvas(b, pagesize=A4, invariant=1)
    for t in (first, second): c.setFont('DejaVu', 12); c.drawString(72, 700, t); c.showPage()
    c.save(); b.seek(0); return pikepdf.open(b)
d = number(); p = two('Bliver', 'CPR ' + dash(d)); p.Root.Gone = p.pages[1].obj; del p.pages[1]; p.save('pike-page-left-out.pdf', static_id=True); row('pike-page-left-out.pdf', d, 'hidden text', hidden=True)
d = number(); p = two('Bliver', 'CPR ' + dash(d)); raw = io.BytesIO(); p.Root.Gone = p.pages[1].obj; del p.pages[1]; p.save(raw, static_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable); open('page-deleted.pdf', 'wb').write(re.sub(rb'/Gone \d+ 0 R', lambda m: b' ' * len(m.group()), raw.getvalue())); row('page-deleted.pdf', d, 'earlier version of the document', hidden=True)

d = number(); p = base('Afsnit'); page = p.pages[0]; half = p.make_indirect(Stream(p, b'BT /F1 12 Tf 72 600 Td ')); rest = p.make_indirect(Stream(p, b'(CPR %s) Tj ET' % dash(d).encode())); page.Contents = Array([page.Contents, half, rest]); p.Root.Kept = rest; p.save('pike-stream-held-elsewhere.pdf', static_id=True); row('pike-stream-held-elsewhere.pdf', d, 'page 1')

# --- scanned pages, packed as scanners do: JPEG, fax, plain pixels
def page_of(d, mode):
    im = Image.new(mode, (1240, 1754), 'white' if mode == 'RGB' else 255)
    pen = ImageDraw.Draw(im); font = ImageFont.truetype('/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', 36)
    for n, line in enumerate(['Eksempel Kommune', 'Afgørelse i sagen', 'Vedr. borger med', 'CPR-nr. ' + dash(d), 'Med venlig hilsen']): pen.text((120, 160 + 70 * n), line, 0 if mode != 'RGB' else 'black', font=font)
    return im
def scan_of(d, mode, name, height=1754, **keys):
    im = page_of(d, mode).crop((0, 0, 1240, height)); p = pikepdf.new(); p.add_blank_page(page_size=(595, 842)); page = p.pages[0]
    image = Stream(p, im.tobytes()); image.update(Dictionary(Type=Name.XObject, Subtype=Name.Image, Width=im.width, Height=im.height, **keys)) if hasattr(image, 'update') else [image.__setitem__('/' + k, v) for k, v in dict(Type=Name.XObject, Subtype=Name.Image, Width=im.width, Height=im.height, **keys).items()]
    page.Resources = Dictionary(XObject=Dictionary(Im0=p.make_indirect(image))); page.Contents = Stream(p, b'q 595 0 0 %d 0 0 cm /Im0 Do Q' % (842 * height // 1754)); p.save(name, static_id=True, compress_streams=True)
d = number(); page_of(d, 'L').save('scan-jpeg.pdf', resolution=150, quality=60); row('scan-jpeg.pdf', d, 'text in the picture, read by OCR')
d = number(); page_of(d, '1').save('scan-fax.pdf', resolution=150); row('scan-fax.pdf', d, 'text in the picture, read by OCR')
d = number(); scan_of(d, 'L', 'scan-grey.pdf', ColorSpace=Name.DeviceGray, BitsPerComponent=8); row('scan-grey.pdf', d, 'text in the picture, read by OCR')
d = number(); scan_of(d, 'RGB', 'scan-colour.pdf', ColorSpace=Name.DeviceRGB, BitsPerComponent=8); row('scan-colour.pdf', d, 'text in the picture, read by OCR')
d = number(); scan_of(d, '1', 'scan-bits.pdf', ColorSpace=Name.DeviceGray, BitsPerComponent=1); row('scan-bits.pdf', d, 'text in the picture, read by OCR')
d = number(); scan_of(d, 'L', 'scan-strip.pdf', height=480, ColorSpace=Name.DeviceGray, BitsPerComponent=8); row('scan-strip.pdf', d, 'text in the picture, read by OCR')

# --- scanned pages with the text that somebody's OCR recognised, unseen, on them: in its place, and one that the picture does not show
d = number(); page_of(d, 'L').save('x.png', dpi=(150, 150)); subprocess.run(['tesseract', 'x.png', 'scan-searchable', '-l', 'dan', 'pdf'], check=True, stderr=subprocess.DEVNULL); os.remove('x.png'); row('scan-searchable.pdf', d, 'page 1', hidden=True)
d = number(); p = pikepdf.open('scan-grey.pdf'); p.pages[0].Resources.Font = Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)); p.pages[0].contents_add(b'BT 3 Tr /F1 12 Tf 60 300 Td (CPR %s) Tj ET' % dash(d).encode()); p.save('recognised-otherwise.pdf', static_id=True); row('recognised-otherwise.pdf', d, 'page 1', hidden=True, redact='refused')

with open('expected.yaml', 'w') as out:
    out.write('# Made by make.py: what is in each file of this folder, and where.\n')
    for r in rows:
        out.write('- {file: %s, digits: "%s", place: "%s", hidden: %s, fake: %s, doubts: [%s], redact: %s}\n' % (r['file'], r['digits'], r['place'], str(r['hidden']).lower(), str(r['fake']).lower(), ', '.join(r['doubts']), r['redact']))
