#!/usr/bin/env python3
"""Makes the documents and times the programs on them, round by round; see documents.sh.

Each document holds one made-up number near its end, so that whoever stops early does not look fast; whether a program found
it is a column of the table. Time is that of the processor, the median over the rounds; memory the largest sum over a program and its
children. Of our time about 5 ms go into starting the command and its worker, which a gateway does once."""

import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

NUMBER = "010190-1234"  # no modulus 11 needed beside the word
SENTENCE = f"Borgerens CPR-nummer er {NUMBER}."
PATTERN = "[0-3][0-9][01][0-9]{3}[- ]?[0-9]{4}"
SYLLABLES = "be kom mu ne sag for val ting bor ger hus by vej skol le rå det an sø ger på mel lem fri stat liv år".split()

rng = random.Random(2026)
WORDS = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(4000)]


def words(count):
    return " ".join(rng.choices(WORDS, k=count)).capitalize() + "."


def make_docx(path):
    import docx

    document = docx.Document()
    for i in range(3600):
        paragraph = document.add_paragraph()
        for part in range(6):
            run = paragraph.add_run(words(16) + " ")
            run.bold = part == 2
    document.add_paragraph(SENTENCE)
    document.save(path)


def make_xlsx(path):
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Borgere")
    sheet.append(["Navn", "Adresse", "Sag", "Beløb", "Dato", "Note", "Id", "Kode", "CPR", "Status"])
    for i in range(20_000):
        row = [words(4), words(8), f"S-{i:06}", round(rng.random() * 1e5, 2), 45000 + i % 900, words(32)]
        sheet.append([*row, rng.randrange(10**6), rng.random(), NUMBER if i == 19_990 else "", words(1)])
    book.save(path)


def make_pdf(path):
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen import canvas

    page = canvas.Canvas(str(path), pagesize=A4)
    for number in range(300):
        page.setFont("Helvetica", 10)
        for line in range(55):
            page.drawString(50, 790 - 13 * line, words(12)[:95])
        if number == 298:
            page.drawString(50, 30, SENTENCE)
        page.showPage()
    page.save()


def make_zip(path, folder):
    """Letters, tables, scans (here: noise, which packs as badly) and text, as a case is sent."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(4):
            archive.write(folder / "1MB.docx", f"breve/brev{i}.docx")
        archive.write(folder / "5MB.xlsx", "tabeller/borgere.xlsx")
        archive.write(folder / "300-pages.pdf", "rapport.pdf")
        for i in range(8):
            archive.writestr(f"scan/side{i}.bin", rng.randbytes(700_000))
        for i in range(12):
            archive.writestr(f"log/log{i}.txt", "\n".join(words(12) for _ in range(14_000)) + f"\n{SENTENCE if i == 11 else ''}\n")


def make(folder):
    makers = [("1MB.docx", make_docx), ("5MB.xlsx", make_xlsx), ("300-pages.pdf", make_pdf), ("20MB.zip", lambda p: make_zip(p, folder))]
    for name, maker in makers:
        if not (folder / name).exists():
            maker(folder / name)
    # The signature that somebody would write for ClamAV: it wants fixed bytes before it tries a pattern.
    (folder / "cpr.ldb").write_text("CPR;Engine:81-255,Target:0;0&1;435052;0/[0-3][0-9][01][0-9]{3}-[0-9]{4}/\n")


def programs(ours, folder):
    """Name, command, whether its output (or status) says that the number was found."""
    grep = f"grep -aEo '{PATTERN}'"
    clam = f"clamscan --no-summary --max-filesize=400M --max-scansize=400M -d {folder}/cpr.ldb"
    scan = f"{ours} scan --reveal"
    office = lambda to, end: f"soffice --headless --convert-to {to} --outdir {folder}/out {{}} >/dev/null 2>&1; {grep} {folder}/out/*.{end}"
    return {
        "1MB.docx": [
            ("cpr-milter", scan),
            ("unzip, grep", f"unzip -p {{}} word/document.xml | {grep}"),
            ("docx2txt, grep", f"docx2txt {{}} - | {grep}"),
            ("clamscan", clam),
            ("LibreOffice, grep", office("txt:Text", "txt")),
        ],
        "5MB.xlsx": [
            ("cpr-milter", scan),
            ("unzip, grep", f"unzip -p {{}} | {grep}"),
            ("xlsx2csv, grep", f"xlsx2csv {{}} | {grep}"),
            ("clamscan", clam),
            ("LibreOffice, grep", office("csv", "csv")),
        ],
        "300-pages.pdf": [
            ("cpr-milter", scan),
            ("pdftotext, grep", f"pdftotext -layout {{}} - | {grep}"),
            ("mutool, grep", f"mutool draw -q -F txt {{}} | {grep}"),
            ("clamscan", clam),
        ],
        "20MB.zip": [
            ("cpr-milter", scan),
            ("unzip, grep", f"unzip -p {{}} | {grep}"),
            ("clamscan", clam),
        ],
    }


def tree(pid):
    """Resident megabytes of a process and its children."""
    total = 0
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"VmRSS:\s+(\d+)", status)[1])
        for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(tree(child) for child in children.read_text().split())
    except (OSError, TypeError):
        pass  # it has ended
    return total


def run(command, peak):
    """Milliseconds of the processor, largest sum of memory when asked for, output."""
    with tempfile.NamedTemporaryFile() as clock:
        # Counts every process and thread, also those that nobody waits for; a busy machine does not stretch it.
        counted = ["perf", "stat", "-x,", "-e", "task-clock", "-o", clock.name, "sh", "-c", command]
        process = subprocess.Popen(counted, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        largest = 0
        if peak:
            os.set_blocking(process.stdout.fileno(), False)
            output = b""
            while process.poll() is None:
                largest = max(largest, tree(process.pid))
                output += process.stdout.read() or b""
                time.sleep(0.001)
            output += process.stdout.read() or b""
        else:
            output = process.communicate()[0]
        ms = next(float(line.split(",")[0]) for line in open(clock.name) if "task-clock" in line)
    return ms, largest / 1024, output


def main(folder, ours, rounds):
    folder.mkdir(parents=True, exist_ok=True)
    make(folder)
    print("| document | program | processor ms | times ours | peak MB | found |\n|---|---|---|---|---|---|", flush=True)
    for name, all_programs in programs(ours, folder).items():
        path = folder / name
        there = [(p, c) for p, c in all_programs if p == "cpr-milter" or shutil.which({"LibreOffice": "soffice"}.get(p.split(",")[0], p.split(",")[0]))]
        commands = [(p, c.replace("{}", str(path)) if "{}" in c else f"{c} {path}") for p, c in there]
        times = {p: [] for p, _ in commands}
        found, peak = {}, {}
        for number in range(rounds):
            for program, command in commands:
                if program.startswith("LibreOffice") and number > 0:
                    continue  # seconds each: once
                ms, megabytes, output = run(command, number == 0)
                times[program].append(ms)
                if number == 0:
                    plain = output.decode(errors="replace").replace("-", "")
                    found[program] = NUMBER.replace("-", "") in plain or "CPR.UNOFFICIAL FOUND" in output.decode(errors="replace")
                    peak[program] = megabytes
        base = statistics.median(times["cpr-milter"])
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        for program, _ in commands:
            ms = statistics.median(times[program])
            print(f"| {path.stem} {path.suffix[1:]} ({size}) | {program} | {ms:.0f} | {ms / base:.2f} | {peak[program]:.0f} | {'yes' if found[program] else 'no'} |", flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
