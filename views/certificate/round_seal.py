"""An authority's round seal as SVG: a red ring, the name along the arc, a star, and lines of text below it.

Lengths are millimetres; y points down. The name runs from left to right over the top, as on seals of state organs. It
is drawn as outlines: rotated characters would be extracted from the PDF in random order. The `alt` text has the name.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import cos, pi, sin
from xml.sax.saxutils import escape

from models.certificate.fonts import outlines

SIZE = 42  # diameter with the ring
RING, THIN = 1.0, 0.2  # widths of the outer ring and of the fine one inside it
BASELINE = 14.6  # radius of the name's baseline
ARC = 1.4 * pi  # longest arc of the name; the bottom is left for the lines below the star
LARGEST, STEP = 4.6, 1.22  # type size of the name, and distance of its characters in such sizes
STAR = 6.2  # radius
RED = "#c8102e"
FAMILY = "Noto Serif CJK SC"  # of the lines below the star


@lru_cache
def picture(name: str, *lines: str) -> str:
    """The seal of `name`, with `lines` below the star, the first one larger."""
    parts = [_ring(SIZE / 2 - RING / 2, RING), _ring(SIZE / 2 - RING - 0.7, THIN), _star(), *_along(name)]
    parts += [_line(line, 9.2 + 3.1 * n, 3.0 if n == 0 else 2.0) for n, line in enumerate(lines)]
    box = f"{-SIZE / 2} {-SIZE / 2} {SIZE} {SIZE}"
    style = f'fill="{RED}" font-family="{FAMILY}" font-weight="bold" text-anchor="middle"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><g {style}>{"".join(parts)}</g></svg>'


def _ring(radius: float, width: float) -> str:
    return f'<circle r="{radius:.2f}" fill="none" stroke="{RED}" stroke-width="{width}"/>'


def _star() -> str:
    """A regular five-pointed star, one point up."""
    corners = []
    for n in range(10):
        radius, angle = STAR if n % 2 == 0 else STAR * 0.382, n * pi / 5
        corners.append(f"{radius * sin(angle):.3f},{-radius * cos(angle) - 0.6:.3f}")
    return f'<polygon points="{" ".join(corners)}"/>'


def _along(name: str) -> Iterator[str]:
    """The outline of each character, rotated along the circle; a long name gets a smaller type size."""
    step = min(LARGEST * STEP / BASELINE, ARC / max(len(name), 1))
    size = min(LARGEST, step * BASELINE / STEP * 1.08)
    for n, drawn in enumerate(outlines(name)):
        degrees = (n - (len(name) - 1) / 2) * step * 180 / pi
        left = -drawn.advance / 2 * size
        moved = f"rotate({degrees:.3f}) translate({left:.3f} {-BASELINE}) scale({size:.4f} {-size:.4f})"
        yield f'<path transform="{moved}" d="{drawn.path}"/>'


def _line(words: str, y: float, size: float) -> str:
    return f'<text y="{y:.2f}" font-size="{size}">{escape(words)}</text>'
