"""Text of the paper as HTML: numbers and codes are not broken, right-to-left runs are isolated.

The classes are defined in certificate.css. An element of class `code` moves to the next line as a whole; one longer
than a line breaks first between its parts (after / - and similar), which are such elements too.
"""

import re

from markupsafe import Markup

from models.text import RIGHT_TO_LEFT

CODE = re.compile(r"[!-~·]*\d[!-~·]*", re.ASCII)  # printable ASCII with a digit in it
SEPARATED = re.compile(r"[^/\-_:;+&|·]*[/\-_:;+&|·]*")  # a part with the separators after it
SHORT = 7  # characters that fit into the narrowest column
LETTER = re.compile(r"[^\W\d_]")
EAST_ASIAN = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
RUN = re.compile(rf"{RIGHT_TO_LEFT.pattern}(?:[\W\d_]*{RIGHT_TO_LEFT.pattern})*")


def typeset(text: str) -> Markup:
    """A value of the certificate as HTML."""
    if not RIGHT_TO_LEFT.search(text):
        return _codes(text)
    first = LETTER.search(text)
    if first and RIGHT_TO_LEFT.match(first[0]) and not EAST_ASIAN.search(text):  # the whole text runs right to left
        return Markup('<bdi class="rtl">{}</bdi>').format(text)
    found, at = Markup(), 0
    for run in RUN.finditer(text):
        found += _codes(text[at : run.start()]) + Markup('<bdi class="rtl">{}</bdi>').format(run[0])
        at = run.end()
    return found + _codes(text[at:])


def _codes(text: str) -> Markup:
    found, at = Markup(), 0
    for code in CODE.finditer(text):
        found += Markup.escape(text[at : code.start()]) + _unbroken(code[0])
        at = code.end()
    return found + Markup.escape(text[at:])


def _unbroken(code: str) -> Markup:
    parts = [part for part in SEPARATED.findall(code) if part]
    if len(parts) == 1 and len(code) <= SHORT:
        return Markup.escape(code)
    inner = Markup("").join(_box(part) for part in parts) if len(parts) > 1 else Markup.escape(code)
    return _box(inner)


def _box(inner: str) -> Markup:
    return Markup('<b class="code">{}</b>').format(inner)
