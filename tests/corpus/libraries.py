"""PDFs as Python's libraries write them, in the ways their users ask for."""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fpdf
import img2pdf
import matplotlib
import numpy
import pypdf
import typst
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from reportlab.lib import pagesizes
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from weasyprint import HTML

Files = Iterator[tuple[str, bytes]]  # (description of the variant, content)
TEXT = "赴境外加工光盘进口备案 Disc pressing contract No. 2026-018"
MARKUP = f"""<html lang="zh"><head><title>合同</title></head><body><h1>{TEXT}</h1>
<p><a href="https://example.org/a">Optimal Media</a>, <a href="mailto:a@example.org">mail</a>, <a href="#end">II</a></p>
<table border="1"><tr><th>品名</th><th>Quantity</th></tr><tr><td>黑胶唱片</td><td>1,000</td></tr></table>
<form><input name="a" value="b"><input type="checkbox"></form>
<h2 id="end" style="page-break-before: always">II</h2></body></html>"""


def painted(mode: str = "RGB", size: tuple[int, int] = (240, 340)) -> Image.Image:
    """A page with a line, a frame and some noise of a scanner."""
    picture = Image.effect_noise(size, 40).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, size[0] - 20, size[1] - 20), outline="red", width=3)
    draw.text((40, 60), "Contract 2026-018", fill="black")
    if mode == "I;16":
        return Image.fromarray(numpy.asarray(picture.convert("L"), numpy.uint16) * 257)
    return picture.convert(mode)


def encoded(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    (picture or painted()).save(out, kind, **options)
    return out.getvalue()


def reportlab() -> Files:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    sizes = (pagesizes.A4, pagesizes.landscape(pagesizes.A3), pagesizes.letter)
    for size, compressed, version in itertools.product(sizes, (0, 1), ((1, 3), (1, 4), (1, 7))):
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=size, pageCompression=compressed, pdfVersion=version)
        canvas.setTitle(TEXT)
        canvas.setFont("STSong-Light", 14)
        canvas.drawString(72, 500, TEXT)
        canvas.linkURL("https://example.org", (72, 490, 300, 520))
        canvas.bookmarkPage("one")
        canvas.addOutlineEntry("第一页", "one")
        canvas.drawInlineImage(painted("L"), 72, 100, 100, 140)
        if version == (1, 7):
            canvas.acroForm.textfield(name="number", x=72, y=300, value="2026-018")
            canvas.acroForm.checkbox(name="agreed", x=72, y=260)
        canvas.showPage()
        canvas.setPageTransition("Dissolve") if version == (1, 4) else None
        canvas.drawString(72, 500, "II")
        canvas.save()
        yield f"{size[0]:.0f} {compressed} {version}", out.getvalue()


def fpdf2() -> Files:
    for font, compressed, layout in itertools.product(("helvetica", "times", "courier"), (True, False), ("P", "L")):
        pdf = fpdf.FPDF(orientation=layout)
        pdf.set_compression(compressed)
        pdf.set_title("Contract")
        for number in range(3):
            pdf.add_page()
            pdf.set_font(font, size=12)
            pdf.start_section(f"Part {number}")
            pdf.cell(text="Contract", link="https://example.org")
        pdf.image(painted("RGBA"), x=20, y=60, w=60)
        pdf.text_annotation(30, 30, "seen")
        yield f"{font} {compressed} {layout}", bytes(pdf.output())


def weasyprint() -> Files:
    variants = (None, "pdf/a-1b", "pdf/a-2b", "pdf/a-2u", "pdf/a-3b", "pdf/a-3u", "pdf/a-4u", "pdf/ua-1")
    for variant, more in itertools.product(variants, ({}, {"uncompressed_pdf": True}, {"pdf_forms": True})):
        if variant and "pdf_forms" in more:
            more = {"pdf_tags": True}
        yield f"{variant} {more}", HTML(string=MARKUP).write_pdf(pdf_variant=variant, **more)


def matplotlib_() -> Files:
    for kind, depth in itertools.product((3, 42), (0, 6)):
        with matplotlib.rc_context({"pdf.fonttype": kind, "pdf.compression": depth}):
            figure, out = Figure(), io.BytesIO()
            axes = figure.add_subplot()
            axes.plot([1, 2, 4], label="$\\alpha$", url="https://example.org")
            axes.imshow([[1, 2], [3, 4]])
            axes.fill_between([0, 1], [0, 1], hatch="/", alpha=0.5)
            figure.savefig(out, format="pdf")
        yield f"{kind} {depth}", out.getvalue()
    for path in sorted(Path(matplotlib.get_data_path()).glob("**/*.pdf")):
        yield path.name, path.read_bytes()


def typst_() -> Files:
    source = "#set document(title: [合同], date: datetime(year: 2026, month: 11, day: 25))\n= 合同\n"
    source += '#link("https://example.org")[Optimal Media] #table(columns: 2)[a][b] $ x^2 $'
    for standard in ("1.4", "1.5", "1.6", "1.7", "2.0", "a-1b", "a-2b", "a-2u", "a-3b", "a-4"):
        yield standard, typst.compile(source.encode(), format="pdf", pdf_standards=[standard])


def img2pdf_() -> Files:
    sources = {
        "JPEG": encoded("JPEG"),
        "JPEG of a printer": encoded("JPEG", painted("CMYK")),
        "grey JPEG": encoded("JPEG", painted("L")),
        "PNG": encoded("PNG"),
        "fax": encoded("TIFF", painted("1"), compression="group4"),
        "palette": encoded("PNG", painted("P")),
        "16 bit": encoded("PNG", painted("I;16")),
    }
    engines = (img2pdf.Engine.internal, img2pdf.Engine.pikepdf)
    for (name, content), engine, layout in itertools.product(sources.items(), engines, (None, (595, 842))):
        fun = img2pdf.get_layout_fun(layout) if layout else img2pdf.default_layout_fun
        yield f"{name} {engine} {layout}", img2pdf.convert(content, engine=engine, layout_fun=fun, title=TEXT)


def pillow() -> Files:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"):
        yield mode, encoded("PDF", painted(mode), resolution=200, title=TEXT)
        pages = [painted(mode, (200 + 10 * n, 280)) for n in range(3)]
        yield f"{mode}, pages", encoded("PDF", pages[0], save_all=True, append_images=pages[1:], author="王敏")


def pypdf_() -> Files:
    sources = [next(maker())[1] for maker in (reportlab, fpdf2, pillow, typst_)]
    for number, source in enumerate(sources):
        for algorithm in (None, "RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"):
            writer, out = pypdf.PdfWriter(), io.BytesIO()
            for page in pypdf.PdfReader(io.BytesIO(source)).pages:
                writer.add_page(page).rotate(90 * number)
            writer.add_outline_item("合同", 0)
            writer.add_metadata({"/Title": TEXT})
            if algorithm:
                writer.encrypt("", "owner", algorithm=algorithm)
            writer.write(out)
            yield f"{number} {algorithm}", out.getvalue()
        updated, out = pypdf.PdfWriter(io.BytesIO(source), incremental=True), io.BytesIO()
        updated.add_metadata({"/Subject": "an update"})
        updated.write(out)
        yield f"{number} updated", out.getvalue()


LIBRARIES = (reportlab, fpdf2, weasyprint, matplotlib_, typst_, img2pdf_, pillow, pypdf_)
