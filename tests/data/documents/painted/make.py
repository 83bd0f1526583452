#!/usr/bin/env python3
"""Makes the files of this folder: pictures with a number in their pixels, packed in ways that painting over must know, and the
documents that hold such pictures.

Needs: imagemagick libtiff-tools fonts-dejavu (apt), pillow piexif python-docx openpyxl python-pptx odfpy pikepdf (pip). All numbers
are made up from a fixed seed. Run in this folder. The tests read the files and expected.tsv, never this script.
"""
import io, os, random, subprocess
from PIL import Image, ImageDraw, ImageFont
import piexif

random.seed(11)
ROWS = []
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def number():
    while True:
        day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(37, 88)
        digits = "%02d%02d%02d%04d" % (day, month, year, random.randint(0, 3999))
        if sum(int(d) * w for d, w in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))) % 11 == 0:
            return digits


def hyphen(digits):
    return digits[:6] + "-" + digits[6:]


def row(name, digits, redact="clean"):
    ROWS.append("\t".join([name, digits, redact]))


def page(digits, mode="RGB", size=(560, 200), ink="black", paper="white", text="Notat om borgeren\nCPR-nr. %s\nMed venlig hilsen"):
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    draw.multiline_text((40, 40), text % hyphen(digits), fill=ink, font=ImageFont.truetype(FONT, 28), spacing=16)
    return image.convert(mode)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def packed(image, kind, **how):
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def pngs():
    for name, mode in [("grey.png", "L"), ("bits.png", "1"), ("palette.png", "P")]:
        digits = number()
        page(digits, mode).save(name)
        row(name, digits)
    name, digits = "clear.png", number()
    image = page(digits, "RGBA")
    image.putalpha(Image.eval(image.convert("L"), lambda value: 255 - value))
    image.save(name)
    row(name, digits)
    name, digits = "deep.png", number()
    page(digits, "L").save("x.png")
    run("convert", "x.png", "-depth", "16", "-define", "png:bit-depth=16", name)
    row(name, digits)
    name, digits = "interlaced.png", number()
    page(digits, ink="#202060", paper="#f4ecd8").save("x.png")
    run("convert", "x.png", "-interlace", "PNG", name)
    row(name, digits)
    os.remove("x.png")
    name, digits = "in-two-words.png", number()
    image = page(digits, "L", text="Notat%.0s om borgeren\nCPR-nr. " + digits[:6] + " - " + digits[6:] + "\nMed venlig hilsen")
    image.save(name)
    row(name, digits)
    name, digits = "table.png", number()
    image = page(digits, "L", text="Navn           Tlf.\nBorger Borgersen   %s\nMed venlig hilsen")
    pen = ImageDraw.Draw(image)
    for y in (76, 122):
        pen.line((20, y, 540, y), fill=0)
    image.save(name)
    row(name, digits)


def jpegs():
    """As telephones write them: turned, with a small copy in EXIF and a whole one behind."""
    name, digits = "telephone.jpg", number()
    image = page(digits, size=(700, 260)).rotate(90, expand=True)
    small = packed(image.resize((130, 350)), "jpeg", quality=90)
    exif = piexif.dump({
        "0th": {piexif.ImageIFD.Orientation: 6, piexif.ImageIFD.Model: b"Telefon 3"},
        "GPS": {piexif.GPSIFD.GPSLatitudeRef: b"N"}, "1st": {piexif.ImageIFD.Compression: 6}, "thumbnail": small,
    })
    whole = packed(image, "jpeg", quality=85, exif=exif)
    open(name, "wb").write(whole + packed(image, "jpeg", quality=85))
    row(name, digits)
    for name, how in [("progressive.jpg", {"progressive": True}), ("grey.jpg", {"mode": "L"}), ("dots.jpg", {"dpi": (200, 200)})]:
        digits = number()
        page(digits, how.pop("mode", "RGB")).save(name, quality=75, **how)
        row(name, digits)
    name, digits = "inks.jpg", number()
    page(digits, "CMYK").save(name, quality=75)
    row(name, digits, "refused")


def others():
    for name, mode, how in [
        ("colour-lzw.tif", "RGB", "tiff_lzw"), ("palette-packbits.tif", "P", "packbits"), ("plain.tif", "L", None),
        ("inks.tif", "CMYK", "tiff_deflate"), ("jpeg.tif", "L", "jpeg"),
    ]:
        digits = number()
        page(digits, mode).save(name, compression=how)
        # The decoder does not know numbers of colours.
        row(name, digits, "refused" if mode == "P" else "clean")
    name, digits = "with-small-copy.tif", number()
    page(digits, "1").save(name, compression="group4", dpi=(200, 200))
    page(digits, "L").resize((140, 50)).save("x.tif")
    run("tiffset", "-s", "254", "1", "x.tif")
    run("tiffcp", "-a", "x.tif", name)
    os.remove("x.tif")
    row(name, digits)
    name, digits = "clear.webp", number()
    page(digits, "RGBA").save(name, lossless=True)
    row(name, digits)
    name, digits = "interlaced.gif", number()
    page(digits, "P").save(name, interlace=True)
    row(name, digits)
    for name, mode in [("grey.bmp", "L"), ("bits.bmp", "1")]:
        digits = number()
        page(digits, mode).save(name)
        row(name, digits)


def documents():
    import docx, openpyxl, pptx
    from openpyxl.drawing.image import Image as Drawing
    from odf.opendocument import OpenDocumentText
    from odf.draw import Frame, Image as Picture
    from odf.text import P
    from pptx.util import Inches

    name, digits = "pictures.docx", number()
    document = docx.Document()
    document.add_paragraph("Referat af mødet")
    document.add_picture(io.BytesIO(packed(page(digits), "png")))
    document.add_picture(io.BytesIO(packed(page(digits, ink="#303030"), "jpeg", quality=85)))
    document.add_paragraph("Med venlig hilsen")
    document.save(name)
    row(name, digits)
    name, digits = "picture.xlsx", number()
    book = openpyxl.Workbook()
    book.active["A1"] = "Skærmbillede"
    page(digits, "L").save("x.png")
    book.active.add_image(Drawing("x.png"), "B2")
    book.save(name)
    row(name, digits)
    name, digits = "picture.pptx", number()
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Status"
    slide.shapes.add_picture(io.BytesIO(packed(page(digits), "jpeg", quality=85)), Inches(1), Inches(2))
    show.save(name)
    row(name, digits)
    name, digits = "picture.odt", number()
    text = OpenDocumentText()
    page(digits, "L").save("x.png")
    frame = Frame(width="12cm", height="5cm", anchortype="as-char")
    frame.addElement(Picture(href=text.addPicture("x.png"), type="simple", show="embed", actuate="onLoad"))
    paragraph = P(text="Bilag")
    paragraph.addElement(frame)
    text.text.addElement(paragraph)
    text.save(name)
    row(name, digits)
    os.remove("x.png")
    name, digits = "picture.rtf", number()
    data = packed(page(digits, "1"), "png").hex()
    lines = "\n".join(data[i:i + 120] for i in range(0, len(data), 120))
    open(name, "w").write("{\\rtf1\\ansi Bilag\\par {\\pict\\pngblip\\picwgoal8000\\pichgoal3200\n%s}\\par Slut}" % lines)
    row(name, digits)


pngs()
jpegs()
others()
documents()
open("expected.tsv", "w").write("# file\tdigits\tredacted\n" + "\n".join(ROWS) + "\n")
