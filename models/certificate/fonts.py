"""Whether the fonts of the certificate can draw what is granted (GB 18030-2022: names with rare characters)."""

import re
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from flask_babel import gettext as _

from models.text import REORDERING, named
from models.workflow import Refused

STYLE = Path(__file__).parents[2] / "templates" / "static" / "certificate.css"
UNSEEN = (  # need no glyph: tab and line ends; joiners, marks of direction, selectors and tags, which HarfBuzz hides
    (0x0009, 0x000A), (0x000D, 0x000D), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x17B4, 0x17B5),
    (0x180B, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFF8), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
NEVER = range(0x1BCA0, 0x1BCA4)  # marks of shorthand: a font of ours has them, but Pango never looks into it for them


def undrawable(texts: Iterable[str]) -> list[str]:
    """The characters of `texts` that no font of the style sheet has, or that would turn others around, in order."""
    signs = set().union(*texts)
    return sorted(sign for sign in signs if _turns(sign) or (_seen(sign) and ord(sign) not in _drawn()))


def complaint(label: object, text: str, remedy: str = "") -> str | None:
    """The sentence that tells which characters of a field cannot be printed, and the remedy; None when all can be."""
    if not (missing := undrawable([text])):
        return None
    remedy = remedy or _("请改用其他写法")
    return _("%(label)s中的字符 %(signs)s 无法打印，%(remedy)s。", label=label, signs=named(missing), remedy=remedy)


def _turns(sign: str) -> bool:
    return REORDERING.fullmatch(sign) is not None


def _seen(sign: str) -> bool:
    return not any(first <= ord(sign) <= last for first, last in UNSEEN)


@cache
def _drawn() -> frozenset[int]:
    """Every code point that one of the families has in which the style sheet sets all text, as fontconfig tells."""
    points: set[int] = set()
    stack = STYLE.read_text(encoding="utf-8").partition("font-family:")[2].partition(";")[0]
    for family in re.findall(r'"([^"]+)"', stack):
        names, charset = _matched(family)
        if family in names.split(","):  # another family is only what fontconfig would put in its place
            for span in charset.split():
                first, _, last = span.partition("-")
                points.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(points.difference(NEVER))


def _matched(family: str) -> list[str]:
    """What fontconfig takes for this family: the names of that font, and the spans of its code points."""
    command = ["fc-match", "--format=%{family}\n%{charset}", family]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        raise Refused(_("服务器缺少 fontconfig，无法检查字体，不能签发证明，请联系系统管理员安装。")) from None
