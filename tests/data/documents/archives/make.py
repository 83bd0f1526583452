#!/usr/bin/env python3
"""Makes the archives of this folder with the programs that people make them with; one place a file.

Needs: tar libarchive-tools p7zip-full xz-utils bzip2 zstd lz4 lzip cpio binutils sqlite3 (apt), py7zr (pip). All numbers are
made up from a fixed seed. RAR has no free writer: the RAR 5 files here are stored entries written by hand. Run in this folder.
The tests read the files and expected.tsv, never this script.
"""
import binascii, os, random, sqlite3, struct, subprocess, tempfile

random.seed(4)
HERE = os.getcwd()
ROWS = []


def number():
    while True:
        day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(37, 88)
        digits = "%02d%02d%02d%04d" % (day, month, year, random.randint(0, 3999))
        if sum(int(d) * w for d, w in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))) % 11 == 0:
            return digits


def hyphen(digits):
    return digits[:6] + "-" + digits[6:]


def row(name, digits, place="text", hidden="shown", least="likely", doubts="", redact="clean"):
    ROWS.append("\t".join([name, digits, place, hidden, least, doubts, redact]))


def run(*command, cwd=None, stdin=None):
    result = subprocess.run(command, cwd=cwd, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert result.returncode == 0, (command, result.stderr)
    return result.stdout


def save(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)


def note(digits):
    return ("Notat om borgeren.\nCPR-nr. %s\nMed venlig hilsen\n" % hyphen(digits)).encode()


class Folder:
    """A folder with a note, another file, and what the test is about."""

    def __init__(self, digits, name="notat.txt"):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name
        self.write("liste.csv", b"sag;navn\n1;A. Hansen\n" * 40)
        self.write(name, note(digits))

    def write(self, name, data):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    def files(self):
        return sorted(os.listdir(self.path))


FIXED = ["--owner=arkiv", "--group=arkiv", "--mtime=2026-01-02", "--sort=name"]


def tars():
    for dialect in ["v7", "ustar", "gnu", "oldgnu", "posix"]:
        digits = number()
        folder = Folder(digits)
        save(dialect + ".tar", run("tar", "-cf", "-", "--format=" + dialect, *FIXED, *folder.files(), cwd=folder.path))
        row(dialect + ".tar", digits)
    for program, format in [("bsdtar", "pax"), ("bsdtar", "ustar"), ("bsdtar", "gnutar"), ("bsdtar", "cpio"), ("bsdtar", "newc"), ("bsdtar", "ar")]:
        digits = number()
        folder = Folder(digits)
        extension = {"cpio": "cpio", "newc": "cpio", "ar": "a"}.get(format, "tar")
        name = "bsd-%s.%s" % (format, extension)
        save(name, run(program, "-cf", "-", "--format", format, *folder.files(), cwd=folder.path))
        row(name, digits, redact="clean" if extension == "tar" else "refused")
    for dialect in ["ustar", "gnu", "posix"]:
        digits = number()
        folder = Folder(number(), "x.txt")
        os.remove(os.path.join(folder.path, "x.txt"))
        folder.write("sag %s.txt" % hyphen(digits), b"uden nummer\n")
        save(dialect + "-name.tar", run("tar", "-cf", "-", "--format=" + dialect, *FIXED, *folder.files(), cwd=folder.path))
        row(dialect + "-name.tar", digits, "file name")
    for dialect in ["gnu", "posix"]:
        digits = number()
        folder = Folder(number(), "x.txt")
        os.remove(os.path.join(folder.path, "x.txt"))
        folder.write("mappe/" * 30 + "sag %s.txt" % hyphen(digits), b"uden nummer\n")
        save(dialect + "-long-name.tar", run("tar", "-cf", "-", "--format=" + dialect, *FIXED, *folder.files(), cwd=folder.path))
        row(dialect + "-long-name.tar", digits, "file name")
    digits = number()
    folder = Folder(number(), "x.txt")
    os.remove(os.path.join(folder.path, "x.txt"))
    os.symlink("/sager/%s" % hyphen(digits), os.path.join(folder.path, "genvej"))
    save("link.tar", run("tar", "-cf", "-", *FIXED, *folder.files(), cwd=folder.path))
    row("link.tar", digits, "file name")
    digits = number()
    folder = Folder(number(), "x.txt")
    os.remove(os.path.join(folder.path, "x.txt"))
    save("comment.tar", run("tar", "-cf", "-", "--format=posix", "--pax-option=comment=sag %s" % hyphen(digits), *FIXED, *folder.files(), cwd=folder.path))
    row("comment.tar", digits, "archive comment")
    for version in ["gnu", "0.0", "0.1", "1.0"]:
        digits = number()
        folder = Folder(number(), "x.txt")
        os.remove(os.path.join(folder.path, "x.txt"))
        path = os.path.join(folder.path, "hul.txt")
        with open(path, "wb") as f:
            f.write(b"begynder her\n")
            f.seek(1 << 18)
            f.write(note(digits))
            f.truncate(1 << 19)
        options = ["--format=gnu"] if version == "gnu" else ["--format=posix", "--sparse-version=" + version]
        save("sparse-%s.tar" % version, run("tar", "-Scf", "-", *options, *FIXED, *folder.files(), cwd=folder.path))
        row("sparse-%s.tar" % version, digits, "source", "hidden", redact="refused", doubts="unread")
    digits = number()
    folder = Folder(digits)
    whole = run("tar", "-cf", "-", *FIXED, "notat.txt", cwd=folder.path)
    other = number()
    save("behind.tar", whole + b"glemt: " + hyphen(other).encode() + b"\n")
    row("behind.tar", other, "outside all parts", "hidden", "likely", "malformed", "refused")
    save("truncated.tar", whole[:512 + 40])
    row("truncated.tar", digits, doubts="broken", redact="refused")
    damaged = bytearray(run("tar", "-cf", "-", *FIXED, "liste.csv", "notat.txt", cwd=folder.path))
    at = damaged.index(b"notat.txt")
    damaged[at] ^= 1
    save("damaged.tar", bytes(damaged))
    row("damaged.tar", digits, "outside all parts", "hidden", "possible", "broken", "refused")
    digits = number()
    folder = Folder(digits)
    inner = run("tar", "-cf", "-", *FIXED, "notat.txt", cwd=folder.path)
    folder = Folder(number(), "x.txt")
    os.remove(os.path.join(folder.path, "x.txt"))
    folder.write("inde.tar", inner)
    run("zip", "-q", "inde.zip", "inde.tar", cwd=folder.path)
    os.remove(os.path.join(folder.path, "inde.tar"))
    save("nested.tar.xz", run("tar", "-cJf", "-", *FIXED, *folder.files(), cwd=folder.path))
    row("nested.tar.xz", digits)
    save("clean.tar.bz2", run("tar", "-cjf", "-", *FIXED, "liste.csv", cwd=folder.path))
    row("clean.tar.bz2", "")


def streams():
    for program, extension, redact in [
        (["bzip2"], "bz2", "clean"), (["xz"], "xz", "clean"), (["xz", "--check=crc32", "--x86", "--lzma2"], "x86.xz", "clean"),
        (["xz", "--format=lzma"], "lzma", "refused"), (["zstd", "-19"], "zst", "clean"), (["lz4", "-c"], "lz4", "clean"), (["lzip"], "lz", "refused"),
    ]:
        digits = number()
        save("note.txt." + extension, run(*program, stdin=note(digits) * 3))
        row("note.txt." + extension, digits, redact=redact)
        if len(program) == 1 or extension in ("zst", "lz4"):
            digits = number()
            save("two.txt." + extension, run(*program, stdin=b"den ene\n") + run(*program, stdin=note(digits)))
            row("two.txt." + extension, digits, redact=redact)
            digits = number()
            noise = bytes(random.randrange(65, 127) for _ in range(100_000))
            data = run(*program, stdin=note(digits) + noise)
            save("truncated.txt." + extension, data[: len(data) - 9])
            place = ("source", "hidden") if extension == "lz4" else ("text", "shown")
            row("truncated.txt." + extension, "" if extension == "zst" else digits, *place, doubts="broken", redact="refused")
        save("bomb." + extension, run(*program, stdin=bytes(64 << 20)))
        row("bomb." + extension, "", doubts="too_large unread", redact="refused")


def sevens():
    for method in ["LZMA", "LZMA2", "PPMd", "BZip2", "Deflate", "Copy"]:
        digits = number()
        folder = Folder(digits)
        run("7z", "a", "-m0=" + method, "a.7z", *folder.files(), cwd=folder.path)
        save("%s.7z" % method.lower(), open(os.path.join(folder.path, "a.7z"), "rb").read())
        row("%s.7z" % method.lower(), digits, redact="refused")
    digits = number()
    folder = Folder(number(), "x.txt")
    os.remove(os.path.join(folder.path, "x.txt"))
    folder.write("sag %s.txt" % hyphen(digits), b"uden nummer\n")
    run("7z", "a", "a.7z", *folder.files(), cwd=folder.path)
    save("name.7z", open(os.path.join(folder.path, "a.7z"), "rb").read())
    row("name.7z", digits, "file name", redact="refused")
    for name, options in [("locked.7z", ["-phemmelig"]), ("locked-names.7z", ["-phemmelig", "-mhe=on"])]:
        folder = Folder(number())
        run("7z", "a", *options, "a.7z", *folder.files(), cwd=folder.path)
        save(name, open(os.path.join(folder.path, "a.7z"), "rb").read())
        row(name, "", doubts="encrypted", redact="refused")
    import py7zr
    digits = number()
    folder = Folder(digits)
    with py7zr.SevenZipFile(os.path.join(folder.path, "a.7z"), "w") as archive:
        archive.writestr(note(digits), "notat.txt")
        archive.mkdir("tom") if hasattr(archive, "mkdir") else None
    save("py7zr.7z", open(os.path.join(folder.path, "a.7z"), "rb").read())
    row("py7zr.7z", digits, redact="refused")
    data = open(os.path.join(folder.path, "a.7z"), "rb").read()
    save("truncated.7z", data[:-20])
    row("truncated.7z", digits, "source", "hidden", doubts="broken", redact="refused")
    folder = Folder("0101901234", "x.txt")  # takes no number from the series: what comes after keeps its own
    folder.write("nuller", bytes(64 << 20))
    run("7z", "a", "-m0=LZMA2", "a.7z", "nuller", cwd=folder.path)
    save("bomb.7z", open(os.path.join(folder.path, "a.7z"), "rb").read())
    row("bomb.7z", "", doubts="too_large unread", redact="refused")


def zips():
    for method, digits in [("BZip2", number()), ("LZMA", number()), ("Deflate64", number())]:
        folder = Folder(digits)
        folder.write("notat.txt", note(digits) * 50)
        run("7z", "a", "-tzip", "-mm=" + method, "a.zip", "notat.txt", cwd=folder.path)
        save("%s.zip" % method.lower(), open(os.path.join(folder.path, "a.zip"), "rb").read())
        read = method == "BZip2"
        digits = digits if read or method == "LZMA" else ""
        row("%s.zip" % method.lower(), digits, doubts="" if digits else "unread", redact="refused")


def vint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def rar5_block(body, data=b""):
    size = vint(len(body))
    return struct.pack("<I", binascii.crc32(size + body)) + size + body + data


def rars():
    digits = number()
    data = note(digits)
    main = rar5_block(vint(1) + vint(0) + vint(0))
    head = vint(2) + vint(2) + vint(len(data)) + vint(4) + vint(len(data)) + vint(0o100644)
    head += struct.pack("<I", binascii.crc32(data)) + vint(0) + vint(1) + vint(9) + b"notat.txt"
    whole = b"Rar!\x1a\x07\x01\x00" + main + rar5_block(head, data) + rar5_block(vint(5) + vint(0) + vint(0))
    save("stored.rar", whole)
    row("stored.rar", digits, redact="refused")
    save("truncated.rar", whole[: len(whole) - 20])
    row("truncated.rar", digits, "source", "hidden", "likely", "broken unread", "refused")
    locked = rar5_block(vint(4) + vint(0) + vint(0) + vint(0) + bytes([15]) + bytes(16))
    save("locked.rar", b"Rar!\x1a\x07\x01\x00" + locked + bytes(random.randrange(256) for _ in range(64)))
    row("locked.rar", "", doubts="encrypted unread", redact="refused")


def databases():
    def database(name, digits, fill, place="text", hidden="shown", least="likely", pragma=""):
        path = os.path.join(HERE, name)
        if os.path.exists(path):
            os.remove(path)
        connection = sqlite3.connect(path)
        connection.executescript(pragma)
        fill(connection, digits)
        connection.commit()
        connection.close()
        row(name, digits, place, hidden, least, redact="refused")

    def table(connection, kind="TEXT"):
        connection.execute("CREATE TABLE borger (id INTEGER PRIMARY KEY, navn TEXT, cpr %s, telefon TEXT)" % kind)
        for i in range(400):
            connection.execute("INSERT INTO borger (navn, telefon) VALUES (?, ?)", ("Navn %d" % i, "%08d" % (20000000 + i)))

    def text(connection, digits):
        table(connection)
        connection.execute("INSERT INTO borger (navn, cpr, telefon) VALUES ('Hansen', ?, '33112244')", (digits,))

    def integer(connection, digits):
        table(connection, "INTEGER")
        connection.execute("INSERT INTO borger (navn, cpr) VALUES ('Hansen', ?)", (int(digits),))

    def overflow(connection, digits):
        table(connection)
        half = "x" * 4061
        connection.execute("INSERT INTO borger (navn) VALUES (?)", (half + " CPR " + hyphen(digits) + " " + half,))

    def deleted(connection, digits):
        table(connection)
        connection.execute("INSERT INTO borger (navn, cpr) VALUES ('Hansen', ?)", (hyphen(digits),))
        connection.commit()
        connection.execute("DELETE FROM borger WHERE cpr IS NOT NULL")

    def dropped(connection, digits):
        text(connection, hyphen(digits))
        connection.commit()
        connection.execute("DROP TABLE borger")

    database("text.sqlite", number(), text)
    database("integer.sqlite", number(), integer)
    database("overflow.sqlite", number(), overflow)
    database("utf16.sqlite", number(), text, pragma="PRAGMA encoding='UTF-16le';")
    database("utf16be.sqlite", number(), text, pragma="PRAGMA encoding='UTF-16be';")
    database("deleted.sqlite", number(), deleted, "source", "hidden", "possible", pragma="PRAGMA secure_delete=OFF;")
    database("dropped.sqlite", number(), dropped, "hidden text", "hidden", "possible", pragma="PRAGMA secure_delete=OFF;")


def mailboxes():
    digits = number()
    mail = "From a@kommune.example Mon Nov 23 10:00:00 2026\nFrom: a@kommune.example\nSubject: Sag %d\n\n%s\n\n"
    box = mail % (1, "Intet her.") + mail % (2, "CPR %s" % hyphen(digits)) + mail % (3, ">From here on")
    save("mails.mbox", box.encode())
    row("mails.mbox", digits)


tars()
streams()
sevens()
zips()
rars()
databases()
mailboxes()
with open("expected.tsv", "w") as f:
    f.write("# file\tdigits\tplace\thidden\tleast confidence\tdoubts\tredacted\n")
    f.write("\n".join(ROWS) + "\n")
