#!/usr/bin/env python3
"""Makes the archives beside this file: some by Python's own writers, some bent by hand into what programs read in
different ways. Fixed dates, so that the same bytes come out each time. The ten digits are invented (day 01 01 90)."""

import gzip
import io
import pathlib
import struct
import tarfile
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent
NUMBER = "010190-1234"
OTHER = "020290-5678"
DATE = (2026, 1, 2, 3, 4, 6)


def entry(name, **attributes):
    info = zipfile.ZipInfo(name, DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def archive(entries, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for info, data in entries:
            z.writestr(info, data)
        z.comment = comment
    return out.getvalue()


def save(name, data):
    (HERE / name).write_bytes(data)


class Unseekable(io.RawIOBase):
    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, b):
        self.data += bytes(b)
        return len(b)


note = f"Borger {NUMBER} har søgt.\n" * 20
plain = archive(
    [
        (entry("bilag/notat.txt"), note),
        (entry(f"{NUMBER}.txt", comment=f"om {NUMBER}".encode()), "intet her\n"),
        (entry("stored.txt", compress_type=zipfile.ZIP_STORED), f"nr {NUMBER}"),
        (entry("mappe/"), ""),
    ],
    comment=f"sag {NUMBER}".encode(),
)
save("plain.zip", plain)

streamed = Unseekable()
with zipfile.ZipFile(streamed, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr(entry("notat.txt"), note)
    z.writestr(entry("andet.txt"), "intet\n")
save("streamed.zip", streamed.data)

big = io.BytesIO()
with zipfile.ZipFile(big, "w") as z:
    with z.open(entry("notat.txt"), "w", force_zip64=True) as f:
        f.write(note.encode())
save("zip64.zip", big.getvalue())

save("cp437.zip", plain.replace(b"stored.txt", "s\u00f8ndag.tx".encode("cp865").ljust(10, b"x")))
unicode_path = lambda name, true: struct.pack("<HHBL", 0x7075, 5 + len(true), 1, zlib.crc32(name)) + true
save("unicodepath.zip", archive([(entry("n.txt", extra=unicode_path(b"n.txt", f"ø{NUMBER}.txt".encode())), "x")]))
save("nested.zip", archive([(entry("indre.zip"), plain)]))

# Local header and directory give different names.
save("twonames.zip", plain.replace(b"bilag/notat.txt", f"{OTHER}.txt".encode(), 1))
# An extra field that only the local header has, and one that should hold times and holds a number.
small = archive([(entry("a.txt"), "intet\n")])
extra = f"nr {OTHER}".encode()
field = struct.pack("<HH", 0x9999, len(extra)) + extra
end = small.index(b"PK\x05\x06")
offset = struct.unpack("<I", small[end + 16 : end + 20])[0] + len(field)
save(
    "localextra.zip",
    small[:28]
    + struct.pack("<H", len(field))
    + small[30:35]
    + field
    + small[35 : end + 16]
    + struct.pack("<I", offset)
    + small[end + 20 :],
)
times = struct.pack("<HH", 0x5455, len(extra)) + extra
save("timesextra.zip", archive([(entry("a.txt", extra=times), "intet\n")]))
# An entry that the directory leaves out: a whole archive before this one, offsets put right.
first = archive([(entry("skjult.txt"), f"skjult {OTHER}\n")])
hidden = first[: first.index(b"PK\x01\x02")]
out = io.BytesIO()
out.write(hidden)
with zipfile.ZipFile(out, "a") as z:
    z.writestr(entry("synlig.txt"), "intet\n")
save("leftout.zip", out.getvalue())
save("prepended.zip", f"nr {OTHER}\n".encode() + plain)
save("appended.zip", plain + b"\n" + first)
save("trailing.zip", plain + f"nr {OTHER}".encode())
save("truncated.zip", plain[: plain.index(b"PK\x01\x02") + 10])
save("badcrc.zip", plain.replace(f"nr {NUMBER}".encode(), f"nr {OTHER}".encode()))
encrypted = bytearray(archive([(entry("hemmelig.txt"), "x" * 40)]))
encrypted[6] |= 1
encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
save("encrypted.zip", bytes(encrypted))
method = bytearray(archive([(entry("lzma.txt"), "x" * 40)]))
method[8] = 14
method[method.index(b"PK\x01\x02") + 10] = 14
save("method.zip", bytes(method))
# Two records of one entry.
twice = archive([(entry("a.txt"), f"nr {NUMBER}")])
at, end = twice.index(b"PK\x01\x02"), twice.index(b"PK\x05\x06")
record, tail = twice[at:end], bytearray(twice[end:])
tail[8:12] = struct.pack("<HH", 2, 2)
tail[12:16] = struct.pack("<L", 2 * len(record))
save("overlap.zip", twice[:at] + record + record.replace(b"a.txt", b"b.txt") + bytes(tail))
save("bomb.zip", archive([(entry("nuller.bin"), b"\0" * (3 << 20)), (entry("notat.txt"), note)]))
save("empty.zip", archive([]))

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
runs = "".join(f"<w:r><w:rPr><w:b/></w:rPr><w:t>{t}</w:t></w:r><w:proofErr w:type='x'/>" for t in ("0101", "90-", "1234"))
document = f"<?xml version='1.0'?><w:document xmlns:w='{W}'><w:body><w:p>{runs}</w:p><w:p><w:r><w:t>slut</w:t></w:r></w:p></w:body></w:document>"
types = "<?xml version='1.0'?><Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"
save("word.docx", archive([(entry("[Content_Types].xml"), types), (entry("word/document.xml"), document)]))
odt = f"<?xml version='1.0'?><office:document-content xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'><text:p>01<text:span>0190</text:span><text:s/>1234</text:p></office:document-content>"
mimetype = entry("mimetype", compress_type=zipfile.ZIP_STORED)
save("text.odt", archive([(mimetype, "application/vnd.oasis.opendocument.text"), (entry("content.xml"), odt)]))


def gz(data, name="", mtime=1767322800):
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=out, mtime=mtime) as g:
        g.write(data)
    return out.getvalue()


save("plain.gz", gz(note.encode(), f"{NUMBER}.txt"))
save("members.gz", gz(f"nr {NUMBER[:6]}".encode()) + gz(NUMBER[6:].encode()))
raw = zlib.compressobj(9, zlib.DEFLATED, -15)
body = raw.compress(note.encode()) + raw.flush()
head = b"\x1f\x8b\x08\x12" + struct.pack("<L", 1767322800) + b"\0\x03" + f"om {NUMBER}\0".encode()
head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
save("comment.gz", head + body + struct.pack("<LL", zlib.crc32(note.encode()), len(note.encode())))
save("trailing.gz", gz(b"intet\n") + f"nr {OTHER}".encode())
save("truncated.gz", gz(note.encode() * 50)[:-40])
save("bomb.gz", gz(b"\0" * (3 << 20)))
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as t:
    info = tarfile.TarInfo("notat.txt")
    info.size = len(note.encode())
    t.addfile(info, io.BytesIO(note.encode()))
save("notat.tar.gz", gz(tar.getvalue()))
