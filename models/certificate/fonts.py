"""Which characters the fonts of the certificate can draw (GB 18030-2022: names with rare characters)."""

import gc
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from models.text import REORDERING, listed_characters
from models.workflow import Refused

STYLE = Path(__file__).parents[2] / "templates" / "static" / "certificate.css"
UNSEEN = (  # need no glyph: tab, line ends; joiners, directional marks, selectors and tags, which HarfBuzz hides
    (0x0009, 0x000A), (0x000D, 0x000D), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x17B4, 0x17B5),
    (0x180B, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFF8), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
NEVER = (  # not drawn, although one of the fonts has a glyph
    range(0x2028, 0x202A), range(0xFFF9, 0xFFFC), range(0x1BCA0, 0x1BCA4),  # Pango never takes these from a font
    range(0xE000, 0xF900), range(0xF0000, 0x110000),  # private use: without a fixed meaning
)  # fmt: skip


def undrawable(texts: Iterable[str]) -> list[str]:
    """The characters of `texts`, sorted, that no font of the style sheet has or that would reorder the text.

    Raises Refused without fontconfig.
    """
    signs = set().union(*texts)
    return sorted(sign for sign in signs if _reorders(sign) or (_is_visible(sign) and ord(sign) not in _drawn()))


def complaint(label: object, text: str, remedy: str = "") -> str | None:
    """The sentence that names the unprintable characters of a field and the remedy; None when there are none."""
    if not (missing := undrawable([text])):
        return None
    signs, remedy = listed_characters(missing), remedy or _("请改用其他写法")
    return _("%(label)s中的字符 %(signs)s 无法打印，%(remedy)s。", label=label, signs=signs, remedy=remedy)


def _reorders(sign: str) -> bool:
    return REORDERING.fullmatch(sign) is not None


def _is_visible(sign: str) -> bool:
    return not any(first <= ord(sign) <= last for first, last in UNSEEN)


@cache
def _drawn() -> frozenset[int]:
    """Every code point in one of the font families of the style sheet, by fontconfig."""
    points: set[int] = set()
    for font in _fonts():
        points.update(font.points)
    return frozenset(points.difference(*NEVER))


@dataclass(frozen=True)
class Outline:
    """Outline of a character: SVG path data and advance, in units of the type size, y upwards."""

    path: str
    advance: float


def outlines(text: str) -> list[Outline]:
    """Each character in the first font of the style sheet that has it, bold if available; raises Refused.

    A parsed Chinese font takes 75 MB: each is opened once, and freed before returning.
    """
    from fontTools.ttLib import TTFont

    opened: dict[str, TTFont] = {}
    drawn = []
    for sign in text:
        font = next((font for font in _fonts() if ord(sign) in font.points), None)
        if font is None:
            raise Refused(complaint(_("印章名称"), text) or sign)
        if font.family not in opened:
            file, index = _matched(f"{font.family}:bold", "%{file}\n%{index}")
            opened[font.family] = TTFont(file, fontNumber=int(index) & 0xFFFF, lazy=True)
        drawn.append(_outline(opened[font.family], sign))
    for each in opened.values():
        each.close()
    del opened
    gc.collect()  # a parsed font has reference cycles
    return drawn


def _outline(font: Any, sign: str) -> Outline:
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen

    glyphs, name = font.getGlyphSet(), font.getBestCmap()[ord(sign)]
    scale = 1 / font["head"].unitsPerEm
    pen = SVGPathPen(glyphs, ntos=lambda number: f"{number:.4f}")
    glyphs[name].draw(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
    return Outline(pen.getCommands(), glyphs[name].width * scale)


@dataclass(frozen=True)
class Font:
    """An installed family of the style sheet, and its code points."""

    family: str
    points: frozenset[int]


@cache
def _fonts() -> list[Font]:
    """The fonts of the style sheet, in its order, without those that are not installed: fontconfig substitutes them."""
    found = []
    stack = STYLE.read_text(encoding="utf-8").partition("--song:")[2].partition(";")[0]
    for family in re.findall(r'"([^"]+)"', stack):
        names, charset = _matched(family, "%{family}\n%{charset}")
        if family in names.split(","):
            spans = [span.partition("-") for span in charset.split()]
            points = (range(int(first, 16), int(last or first, 16) + 1) for first, _dash, last in spans)
            found.append(Font(family, frozenset().union(*points)))
    return found


def _matched(pattern: str, asked: str) -> list[str]:
    """The lines of fc-match for this pattern and format; raises Refused without fontconfig."""
    command = ["fc-match", f"--format={asked}", pattern]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        raise Refused(_("服务器缺少 fontconfig，无法检查字体，不能签发证明，请联系系统管理员安装。")) from None
