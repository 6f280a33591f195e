"""Colours, spaces and radii of style sheets are tokens."""

import re

import pytest
from PIL import ImageColor

from tests import ROOT

SHEETS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").glob("**/*.css"))
TOKENS = "templates/static/tokens.css"
DOCUMENTS = {"templates/static/certificate.css", "templates/static/preview.css"}  # they load no other sheet
FUNCTIONS = "rgba?|hsla?|hwb|lab|lch|oklab|oklch|color"
COLOUR = re.compile(
    rf"(?i)#[0-9a-f]{{3,8}}\b|(?<![-\w])(?:(?:{FUNCTIONS})\(|(?:{'|'.join(ImageColor.colormap)})(?![-\w(]))"
)


LENGTH = re.compile(r"(?<![-\w])-?(?:\d+\.?\d*|\.\d+)(?:[a-z]+|%)")
SPACED = re.compile(
    r"(?:scroll-)?(?:margin|padding)(?:-[a-z-]+)?|(?:row-|column-)?gap|border-spacing|border-[a-z-]*radius"
)


def declarations(css: str) -> list[tuple[str, str]]:
    """(property, value) of each declaration, without comments and texts in quotation marks."""
    plain = re.sub(r"""/\*.*?\*/|"[^"]*"|'[^']*'""", "", css, flags=re.DOTALL)
    return [
        (name.split()[-1] if name.split() else "", value)
        for name, value in re.findall(r"([^:;{}]*):([^;{}]*)[;}]", plain)
    ]


def literal_colours(css: str) -> list[str]:
    """The colours in the values of declarations; `transparent`, `currentcolor` and system colours are none."""
    return [colour for _name, value in declarations(css) for colour in COLOUR.findall(value)]


def literal_spaces(css: str) -> list[str]:
    """The lengths of margins, paddings, gaps and radii; 0 is none."""
    return [length for name, value in declarations(css) if SPACED.fullmatch(name) for length in LENGTH.findall(value)]


def outside_tokens(sheet: str) -> str:
    """A style sheet without its tokens: certificate.css and preview.css, documents of their own, have theirs within."""
    css = (ROOT / sheet).read_text(encoding="utf-8")
    return re.sub(r"--[\w-]+:[^;]*;", "", css) if sheet in DOCUMENTS else css


def test_a_colour_is_found_in_the_value_of_a_declaration_only() -> None:
    assert literal_colours("a { color: #FFF; background: RGB(0 0 0 / 5%) } b { border: 1px solid Red }") == [
        "#FFF", "RGB(", "Red",
    ]  # fmt: skip
    tokens = '#add:hover { white-space: pre; color: var(--red); fill: transparent; content: "red" } /* a: red; */'
    assert literal_colours(tokens) == []


def test_a_space_is_found_in_margins_paddings_gaps_and_radii_only() -> None:
    css = "a { margin: -1px auto 0; gap: var(--s2) .5em } @page { @top { padding-left: 3mm; border-radius: 50% } }"
    assert literal_spaces(css) == ["-1px", ".5em", "3mm", "50%"]
    assert (
        literal_spaces("a:hover { width: 4px; margin: calc(-1 * var(--s1-5)) 0 } /* gap: 2px; */ b { margin: 0 }") == []
    )


@pytest.mark.parametrize("sheet", [sheet for sheet in SHEETS if sheet != TOKENS])
def test_a_style_sheet_takes_its_colours_spaces_and_radii_from_tokens(sheet: str) -> None:
    css = outside_tokens(sheet)
    assert literal_colours(css) + literal_spaces(css) == []


def test_every_token_is_defined_and_used() -> None:
    """A browser ignores a declaration with an undefined token without a word."""
    for sheets in ({*SHEETS} - DOCUMENTS, DOCUMENTS):
        css = "".join((ROOT / sheet).read_text(encoding="utf-8") for sheet in sheets)
        assert {*re.findall(r"var\((--[\w-]+)", css)} == {*re.findall(r"(--[\w-]+):", css)}
