"""PDFs of programs: Ghostscript, Cairo, Chromium, Poppler, qpdf, our typesetter; and as gateways change them."""

import io
import itertools
import subprocess
import tempfile
from pathlib import Path

import cairocffi
from playwright.sync_api import sync_playwright

from tests.corpus.libraries import MARKUP, TEXT, Files, fpdf2, reportlab, weasyprint

CHROMIUM = "/usr/bin/chromium"
POSTSCRIPT = b"""%!PS-Adobe-3.0
/Helvetica findfont 20 scalefont setfont 72 700 moveto (Contract 2026-018) show
[ /Title (Contract) /DOCINFO pdfmark
[ /Page 1 /View [/Fit] /Title (First) /OUT pdfmark
[ /Rect [72 600 300 650] /Action << /Subtype /URI /URI (https://example.org) >> /Subtype /Link /ANN pdfmark
0.9 0.2 0.2 setrgbcolor 100 100 200 200 rectfill showpage 72 72 moveto (II) show showpage
"""


def run(*command: str, source: bytes = b"", written: str = "") -> bytes:
    """The file that a program makes of a file; IN and OUT stand for their paths, `written` is the suffix it adds."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {"IN": f"{folder}/in", "OUT": f"{folder}/out"}
        Path(paths["IN"]).write_bytes(source)
        words = [word.replace("IN", paths["IN"]).replace("OUT", paths["OUT"]) for word in command]
        subprocess.run(words, check=True, capture_output=True, timeout=120)
        return Path(paths["OUT"] + written).read_bytes()


def ghostscript() -> Files:
    levels = [f"-dCompatibilityLevel={level}" for level in ("1.2", "1.4", "1.5", "1.7", "2.0")]
    settings = [f"-dPDFSETTINGS=/{name}" for name in ("screen", "prepress")]
    others = ["-dPDFA=2", "-dCompressPages=false", "-dASCII85EncodePages=true", "-dFastWebView=true"]
    others += ["-sOwnerPassword=o -dEncryptionR=3 -dKeyLength=128", "-dNoOutputFonts"]
    distilled = [(choice, POSTSCRIPT) for choice in levels + settings + others]
    for choice, source in [*distilled, ("", next(reportlab())[1]), ("", next(weasyprint())[1])]:
        command = f"gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=pdfwrite {choice} -sOutputFile=OUT IN"
        yield choice, run(*command.split(), source=source)
    for device in ("pdfimage8", "pdfimage24", "pdfimage32"):
        words = f"gs -q -dBATCH -dNOPAUSE -r50 -sDEVICE={device} -sOutputFile=OUT IN"
        yield device, run(*words.split(), source=POSTSCRIPT)


def cairo() -> Files:
    for size in ((595, 842), (842, 1191), (1191, 1684)):
        out = io.BytesIO()
        surface = cairocffi.PDFSurface(out, *size)
        context = cairocffi.Context(surface)
        for number in range(2):
            context.move_to(72, 100)
            context.show_text(TEXT)
            context.set_source_rgba(0, 0, 1, 0.5)
            context.rectangle(100, 200, 90 + number, 90)
            context.fill()
            surface.show_page()
        surface.finish()
        yield str(size), out.getvalue()
    for name, source in itertools.chain(itertools.islice(weasyprint(), 4), itertools.islice(fpdf2(), 3)):
        yield f"pdftocairo of {name}", run("pdftocairo", "-pdf", "IN", "OUT", source=source)


def chromium() -> Files:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content(MARKUP)
        for tagged, outline, landscape in itertools.product((True, False), repeat=3):
            choice = {"tagged": tagged, "outline": outline, "landscape": landscape}
            yield str(choice), page.pdf(format="A4", display_header_footer=landscape, **choice)
        yield "picture", page.pdf(width="210mm", height="2000mm", print_background=True, scale=0.5)
        browser.close()


def poppler() -> Files:
    for name, source in (next(reportlab()), next(weasyprint()), next(fpdf2())):
        yield f"united, {name}", run("pdfunite", "IN", "IN", "OUT", source=source)
        yield f"separated, {name}", run("pdfseparate", "-f", "1", "-l", "1", "IN", "OUT", source=source)


def qpdf() -> Files:
    choices = [
        "--linearize",
        "--object-streams=generate",
        "--object-streams=disable",
        "--qdf",
        "--static-id --newline-before-endstream",
    ]
    choices += [
        "--compress-streams=n",
        "--force-version=1.3 --object-streams=disable",
        "--recompress-flate",
        "--coalesce-contents",
    ]
    choices += [
        "--linearize --object-streams=generate",
        "--preserve-unreferenced",
        "--remove-unreferenced-resources=yes",
    ]
    choices += [
        f"--allow-weak-crypto --encrypt '' o {bits} --"
        for bits in ("40", "128", "128 --use-aes=y", "256", "256 --modify=none --print=none")
    ]
    choices += ["--linearize --encrypt '' o 256 --"]
    for (name, source), choice in itertools.product((next(reportlab()), next(weasyprint())), choices):
        words = [word.strip("'") for word in choice.split()]
        yield f"{choice}, {name}", run("qpdf", *words, "IN", "OUT", source=source)


PROGRAMS = (ghostscript, cairo, chromium, poppler, qpdf)
