#!/usr/bin/env python3
"""Makes the ordinary files that the content tests look at, by the programs that people use.

    python3 make.py        # needs Pillow, zstd and lz4; writes beside itself

What is compressed is the source text of this crate. The same versions of the programs write the same
files; others write files that differ and are as ordinary.
"""

import bz2
import gzip
import io
import lzma
import math
import random
import sqlite3
import struct
import subprocess
import wave
import zipfile
import zlib
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
CRATE = HERE.parents[2]
RANDOM = random.Random(1)

source = b"".join(path.read_bytes() for path in sorted((CRATE / "src").rglob("*.rs")))[:160_000]


def write(name: str, data: bytes) -> None:
    (HERE / name).write_bytes(data)


def piped(*command: str) -> bytes:
    return subprocess.run(command, input=source, stdout=subprocess.PIPE, check=True).stdout


def photo(side: int) -> Image.Image:
    """Smooth shapes under the noise of a sensor."""
    pixels = bytearray()
    for y in range(side):
        for x in range(side):
            for channel in range(3):
                shade = 128 + 60 * math.sin(x * (channel + 1) / 40) + 50 * math.cos(y * (channel + 2) / 55)
                pixels.append(max(0, min(255, int(shade + RANDOM.gauss(0, 6)))))
    return Image.frombytes("RGB", (side, side), bytes(pixels))


def words(count: int) -> str:
    text = source.decode().split()
    return " ".join(RANDOM.choice(text).translate({38: None, 60: None, 62: None}) for _ in range(count))


write("source.gz", gzip.compress(source, 6, mtime=0))
write("source.bz2", bz2.compress(source))
write("source.xz", lzma.compress(source))
write("source.zst", piped("zstd", "-3", "-c"))
write("source19.zst", piped("zstd", "-19", "-c"))
write("source.lz4", piped("lz4", "-c"))

# Machine code: a part of Rust's own library.
sysroot = subprocess.run(["rustc", "--print", "sysroot"], stdout=subprocess.PIPE, check=True).stdout
library = next(Path(sysroot.decode().strip()).rglob("libhashbrown-*.rlib"), None)
library = library or next(Path(sysroot.decode().strip()).rglob("libaddr2line-*.rlib"))
write("library.rlib", library.read_bytes()[:200_000])

picture = photo(256)
for name, options in (
    ("photo.jpg", {"quality": 85}),
    ("photo.png", {}),
    ("photo.webp", {"quality": 80}),
):
    picture.save(HERE / name, **options)
picture.crop((0, 0, 128, 128)).save(HERE / "photo.bmp")
picture.quantize(64).save(HERE / "photo.gif")

# As an office program writes it: a ZIP archive of XML parts, and pictures that are stored as they are.
paragraphs = "".join(f"<w:p><w:r><w:t>{words(60)}</w:t></w:r></w:p>" for _ in range(160))
with zipfile.ZipFile(HERE / "document.docx", "w", zipfile.ZIP_DEFLATED) as archive:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    archive.writestr(zipfile.ZipInfo("[Content_Types].xml"), head + types, zipfile.ZIP_DEFLATED)
    archive.writestr(zipfile.ZipInfo("_rels/.rels"), head + "<Relationships/>", zipfile.ZIP_DEFLATED)
    body = f"{head}<w:document><w:body>{paragraphs}</w:body></w:document>"
    archive.writestr(zipfile.ZipInfo("word/document.xml"), body, zipfile.ZIP_DEFLATED)
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=75)
    archive.writestr(zipfile.ZipInfo("word/media/image1.jpeg"), jpeg.getvalue(), zipfile.ZIP_STORED)
    styles = head + "".join(f'<w:style w:styleId="s{i}"/>' for i in range(300))
    archive.writestr(zipfile.ZipInfo("word/styles.xml"), styles, zipfile.ZIP_DEFLATED)

rows = "".join(
    f'<row r="{i}">' + "".join(f"<c><v>{RANDOM.gauss(500, 120):.2f}</v></c>" for _ in range(8)) + "</row>"
    for i in range(1, 1200)
)
with zipfile.ZipFile(HERE / "table.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(zipfile.ZipInfo("[Content_Types].xml"), head + types, zipfile.ZIP_DEFLATED)
    archive.writestr(zipfile.ZipInfo("xl/worksheets/sheet1.xml"), head + rows, zipfile.ZIP_DEFLATED)

# Text and compressed streams in turns.
pdf = io.BytesIO()
pdf.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
for number in range(1, 9):
    text = "".join(f"BT 50 {700 - 12 * i} Td ({words(8)}) Tj ET\n" for i in range(160)).encode()
    stream = zlib.compress(text)
    pdf.write(b"%d 0 obj\n<</Length %d/Filter/FlateDecode>>\nstream\n" % (number, len(stream)))
    pdf.write(stream + b"\nendstream\nendobj\n")
    for i in range(120):
        pdf.write(b"%d 0 obj\n<</Type/Annot/Rect[%d %d 12 80]/Subtype/Link>>\nendobj\n" % (100 * number + i, i, 3 * i))
pdf.write(b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1>>\nstartxref\n0\n%%EOF\n")
write("paper.pdf", pdf.getvalue())

(HERE / "store.sqlite").unlink(missing_ok=True)
database = sqlite3.connect(HERE / "store.sqlite")
database.execute("create table orders (id integer primary key, name text, amount real, note text)")
for i in range(900):
    database.execute("insert into orders values (?, ?, ?, ?)", (i, words(2), RANDOM.gauss(90, 30), words(6)))
database.commit()
database.close()

with wave.open(str(HERE / "sound.wav"), "wb") as sound:
    sound.setnchannels(1)
    sound.setsampwidth(2)
    sound.setframerate(22_050)
    level = [int(9_000 * math.sin(i / 17) + RANDOM.gauss(0, 900)) for i in range(30_000)]
    sound.writeframes(struct.pack(f"<{len(level)}h", *level))

write("measured.f64", struct.pack("<8000d", *(RANDOM.gauss(20, 3) for _ in range(8_000))))
table = ["time,sensor,value,note"]
table += [f"2026-0{1 + i % 9}-{10 + i % 19} 1{i % 10}:00,s{i % 7},{RANDOM.gauss(20, 3):.3f},{words(1)}" for i in range(1_500)]
write("table.csv", "\n".join(table).encode())
