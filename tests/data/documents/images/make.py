#!/usr/bin/env python3
"""Makes the pictures of this folder; one place a file, then pages for OCR.

Needs: imagemagick libimage-exiftool-perl fonts-dejavu (apt), pillow pillow-heif piexif (pip). All numbers are made up from a fixed
seed. Run in this folder. The tests read the files and expected.tsv, never this script. Rows of pictures that only OCR reads are
in ocr.tsv.
"""
import io, os, random, subprocess, zlib, struct
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
import piexif, pillow_heif

pillow_heif.register_heif_opener()
random.seed(5)
ROWS, OCR = [], []
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def number():
    while True:
        day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(37, 88)
        digits = "%02d%02d%02d%04d" % (day, month, year, random.randint(0, 3999))
        if sum(int(d) * w for d, w in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))) % 11 == 0:
            return digits


def hyphen(digits):
    return digits[:6] + "-" + digits[6:]


def row(name, digits, place="properties of the document", hidden="hidden", least="likely", doubts="", redact="clean"):
    ROWS.append("\t".join([name, digits, place, hidden, least, doubts, redact]))


def ocr(name, digits, least="likely"):
    OCR.append("\t".join([name, digits, "text in the picture, read by OCR", "shown", least, "", "clean"]))


def photo(width=240, height=160):
    image = Image.new("RGB", (width, height))
    for x in range(width):
        for y in range(height):
            image.putpixel((x, y), (x * 255 // width, y * 255 // height, 128))
    return image


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def exiftool(name, *arguments):
    run("exiftool", "-overwrite_original", *arguments, name)


SAY = "CPR %s"


def jpegs():
    def new(name):
        photo().save(name, quality=80)
        return number()

    for name, tag in [
        ("exif-description.jpg", "-EXIF:ImageDescription"), ("exif-artist.jpg", "-EXIF:Artist"),
        ("exif-usercomment.jpg", "-EXIF:UserComment"), ("exif-xpcomment.jpg", "-EXIF:XPComment"),
        ("exif-xpkeywords.jpg", "-EXIF:XPKeywords"), ("iptc-caption.jpg", "-IPTC:Caption-Abstract"),
        ("xmp-description.jpg", "-XMP-dc:Description"), ("xmp-subject.jpg", "-XMP-dc:Subject"), ("comment.jpg", "-Comment"),
    ]:
        digits = new(name)
        exiftool(name, tag + "=" + SAY % hyphen(digits))
        row(name, digits)
    name, digits = "exif-usercomment-unicode.jpg", number()
    exif = {"Exif": {piexif.ExifIFD.UserComment: b"UNICODE\0" + (SAY % hyphen(digits)).encode("utf-16-be")}}
    photo().save(name, exif=piexif.dump(exif))
    row(name, digits)
    name, digits = "behind.jpg", number()
    buffer = io.BytesIO()
    photo().save(buffer, "jpeg")
    open(name, "wb").write(buffer.getvalue() + b"\nCPR " + hyphen(digits).encode())
    row(name, digits, "outside all parts")
    name, digits = "archive-behind.jpg", number()
    open("x.txt", "w").write(SAY % hyphen(digits))
    if os.path.exists("x.zip"):
        os.remove("x.zip")
    run("zip", "-X", "x.zip", "x.txt")
    open(name, "wb").write(buffer.getvalue() + open("x.zip", "rb").read())
    os.remove("x.txt"), os.remove("x.zip")
    row(name, digits, "text", "shown")
    name = "truncated.jpg"
    open(name, "wb").write(buffer.getvalue()[:1500])
    row(name, "", doubts="broken")
    name, digits = "magick.jpg", number()
    run("convert", "-size", "200x100", "gradient:red-blue", "-set", "comment", SAY % hyphen(digits), "-interlace", "plane", name)
    row(name, digits)


def pngs():
    for name, compressed in [("text.png", False), ("ztxt.png", True)]:
        digits = number()
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", SAY % hyphen(digits), zip=compressed)
        photo().save(name, pnginfo=info)
        row(name, digits, *([] if not compressed else ["text", "shown"]))
    for name, compressed in [("itxt.png", False), ("itxt-packed.png", True)]:
        digits = number()
        info = PngImagePlugin.PngInfo()
        info.add_itxt("Description", "Sag æøå " + SAY % hyphen(digits), "da", "Beskrivelse", zip=compressed)
        photo().save(name, pnginfo=info)
        row(name, digits, *([] if not compressed else ["text", "shown"]))
    name, digits = "exif.png", number()
    photo().save(name)
    exiftool(name, "-EXIF:ImageDescription=" + SAY % hyphen(digits))
    row(name, digits)
    name, digits = "xmp.png", number()
    photo().save(name)
    exiftool(name, "-XMP-dc:Title=" + SAY % hyphen(digits))
    row(name, digits)
    name, digits = "magick-profile.png", number()
    photo().save("x.jpg")
    exiftool("x.jpg", "-IPTC:Caption-Abstract=" + SAY % hyphen(digits))
    run("convert", "x.jpg", name)
    os.remove("x.jpg")
    row(name, digits, "source", "hidden", "possible", "unread", "refused")
    name, digits = "behind.png", number()
    buffer = io.BytesIO()
    photo().save(buffer, "png")
    open(name, "wb").write(buffer.getvalue() + (SAY % hyphen(digits)).encode())
    row(name, digits, "outside all parts")
    open("truncated.png", "wb").write(buffer.getvalue()[:-30])
    row("truncated.png", "", doubts="broken")


def others():
    name, digits = "comment.gif", number()
    photo().save(name, comment=(SAY % hyphen(digits)).encode())
    row(name, digits)
    name, digits = "long-comment.gif", number()
    photo().save(name, comment=(b"x" * 244 + b" CPR " + hyphen(digits).encode()))
    row(name, digits)
    name, digits = "xmp.gif", number()
    photo().save(name)
    exiftool(name, "-XMP-dc:Title=" + SAY % hyphen(digits))
    row(name, digits)
    for name in ["description.tif", "lzw.tif"]:
        digits = number()
        photo().save(name, compression="tiff_lzw" if name.startswith("lzw") else None, description=SAY % hyphen(digits))
        row(name, digits)
    for name, tag in [("exif.webp", "-EXIF:ImageDescription"), ("xmp.webp", "-XMP-dc:Title")]:
        digits = number()
        photo().save(name)
        exiftool(name, tag + "=" + SAY % hyphen(digits))
        row(name, digits)
    name, digits = "exif.heic", number()
    photo().save(name, exif=piexif.dump({"0th": {piexif.ImageIFD.ImageDescription: (SAY % hyphen(digits)).encode()}}))
    row(name, digits, doubts="not_ocred")
    photo().save("plain.bmp")
    row("plain.bmp", "")
    Image.new("RGB", (24, 24), "navy").save("icon.png")
    row("icon.png", "")


def page(digits, size=(900, 400), point=28, ink="black", paper="white", text="Notat om borgeren\nCPR-nr. %s\nMed venlig hilsen"):
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    draw.multiline_text((40, 40), text % hyphen(digits), fill=ink, font=ImageFont.truetype(FONT, point), spacing=16)
    return image


def pages():
    for extension in ["png", "jpg", "gif", "tif", "webp", "bmp"]:
        name, digits = "page." + extension, number()
        image = page(digits)
        if extension in ("bmp", "tif"):
            image = image.convert("1")
        image.save(name, **({"compression": "group4"} if extension == "tif" else {}))
        ocr(name, digits)
    name, digits = "white-on-blue.png", number()
    page(digits, ink="white", paper="#1b3a6b").save(name)
    ocr(name, digits)
    long = "Afgørelse i sagen om hjælp\nVi skriver til dig, fordi du har søgt om hjælp.\nDin sag handler om CPR-nr. %s\n" + "Kommunen har talt med din læge og din arbejdsgiver.\n" * 8
    for turn in [90, 180, 270]:
        name, digits = "turned-%d.png" % turn, number()
        page(digits, (1200, 900), 30, text=long).rotate(turn, expand=True).convert("1").save(name)
        ocr(name, digits)
    name, digits = "two-pages.tif", number()
    page(number(), text="Forside%.0s").convert("1").save(
        name, save_all=True, append_images=[page(digits).convert("1")], compression="group4")
    ocr(name, digits)

    name, digits = "moving.gif", number()
    page(digits).save(name, save_all=True, append_images=[page(number())], duration=500)
    OCR.append("\t".join([name, digits, "text in the picture, read by OCR", "shown", "likely", "not_ocred", "refused"]))


jpegs()
pngs()
others()
pages()
HEAD = "# file\tdigits\tplace\thidden\tleast confidence\tdoubts\tredacted\n"
open("expected.tsv", "w").write(HEAD + "\n".join(ROWS) + "\n")
open("ocr.tsv", "w").write(HEAD + "\n".join(OCR) + "\n")
