"""Appearance of the certificate: pages are compared with stored pictures, and the comparison is tested (PD3).

The pictures are in tests/screens; `make screens` renews them, and must be followed by a look at each.
"""

import io
import os
import re

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw
from PIL.PngImagePlugin import PngInfo

from tests import ROOT
from tests.views.certificate.placed import seal_of
from tests.views.looks import MILLIMETRE, certificate, difference, fonts, markup, page, pdf, printed
from views.certificate import seal_picture
from views.certificate.round_seal import picture

pytestmark = pytest.mark.usefixtures("context")

SCREENS = ROOT / "tests" / "screens"
LIMIT = 14  # of 255 shades; half a pixel of shift makes 11, a millimetre 22, a line of small type gone 43
PICTURES = {"one": (2, 0), "many": (60, 1), "last": (18, 1)}  # rows, and the page that is looked at


def checked_fonts(expected: str, now: str) -> None:
    """Pictures with other fonts cannot be compared: the test is skipped, on CI it fails."""
    if expected != now:
        message = f"taken with {expected}, this machine has {now}: look at the pages, then `make screens`"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


@pytest.mark.parametrize("name", PICTURES)
def test_the_pages_look_like_the_pictures(name: str) -> None:
    """PD3: one page, a page full of rows, the last page of 18 rows; `SCREENS=1` takes the pictures."""
    rows, n = PICTURES[name]
    document, expected = pdf(certificate(rows)), SCREENS / f"certificate-{name}.png"
    if os.environ.get("SCREENS"):
        metadata = PngInfo()
        metadata.add_text("Fonts", fonts(document))
        page(document, n).quantize(16, dither=Image.Dither.NONE).save(expected, optimize=True, pnginfo=metadata)
    picture = Image.open(expected)
    checked_fonts(picture.info["Fonts"], fonts(document))
    assert difference(page(document, n), picture.convert("L")) < LIMIT


def painted(sheet: Image.Image, shade: int, *millimetres: float) -> Image.Image:
    """The page with a box (left, top, right, bottom) painted over it."""
    spoilt = sheet.copy()
    ImageDraw.Draw(spoilt).rectangle([MILLIMETRE * edge for edge in millimetres], fill=shade)
    return spoilt


def test_pictures_with_other_fonts_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """On CI no comparison is skipped."""
    for there, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", there)
        with pytest.raises(outcome, match=r"taken with Song 1\.0, this machine has Song 2\.0: .* `make screens`"):
            checked_fonts("Song 1.0", "Song 2.0")


class TestGate:
    """PD3: another product accepted a page four fifths of which were black."""

    @pytest.mark.parametrize(
        "box",
        [
            pytest.param((0, 0, 0, 210, 238), id="80 % blacked out"),
            pytest.param((255, 0, 0, 210, 297), id="nothing printed"),
            pytest.param((240, 28, 265, 184, 285), id="a pale box over a twentieth"),
            pytest.param((255, 60, 235, 105, 238), id="a line of small type gone"),
            pytest.param((255, 28, 268, 60, 272), id="the number at the foot gone"),
        ],
    )
    def test_an_overpainted_area_is_detected(self, correct_page: Image.Image, box: tuple[float, ...]) -> None:
        shade, *millimetres = box
        assert difference(painted(correct_page, int(shade), *millimetres), correct_page) > LIMIT

    @pytest.mark.parametrize("field", ["sid_code", "isbn", "title", "trade_mode"])
    def test_a_blank_field_is_detected(self, correct_page: Image.Image, field: str) -> None:
        spoilt = page(pdf(certificate(2, **{field: None})))
        assert difference(spoilt, correct_page) > LIMIT

    def test_a_missing_row_is_detected(self, correct_page: Image.Image) -> None:
        assert difference(page(pdf(certificate(1))), correct_page) > LIMIT

    def test_a_moved_seal_is_detected(self, correct_page: Image.Image) -> None:
        moved = markup(certificate(2)).replace('id="seal"', 'id="seal" style="margin-top: 1mm"')
        assert difference(page(printed(moved)), correct_page) > LIMIT

    def test_differences_between_machines_are_tolerated(self, correct_page: Image.Image) -> None:
        """Half a pixel of shift, other antialiasing, the noise of lossy compression."""
        larger = correct_page.resize([side * 2 for side in correct_page.size], Image.Resampling.BICUBIC)
        shifted = ImageChops.offset(larger, 1, 1).resize(correct_page.size, Image.Resampling.BOX)
        copy = io.BytesIO()
        correct_page.save(copy, "JPEG", quality=70)
        for same in (shifted, Image.open(copy), correct_page.quantize(16).convert("L")):
            assert difference(same, correct_page) < LIMIT


class TestSeal:
    @pytest.mark.parametrize(
        "name", ["江苏省新闻出版局", "新疆维吾尔自治区新闻出版局（演示）", "江苏省新闻出版局\U0002a6d6" * 6]
    )
    def test_the_seal_has_the_name_within_its_ring(self, name: str) -> None:
        """Red, 42 mm across for any length of the name; its text is under the signature; a demo seal is marked."""
        html = markup(certificate(2), seal=name, seal_picture=seal_picture(name, demo="演示" in name))
        assert f'alt="{name}电子印章"' in html
        x, y, right, bottom = seal_of(html)
        sheet = pypdfium2.PdfDocument(printed(html))[0]
        inside = sheet.get_textpage().get_text_bounded(
            *(edge * 72 / 25.4 for edge in (x, 297 - bottom, right, 297 - y))
        )
        assert re.sub(r"\s", "", inside) == "电子印章" + "演示用，无法律效力" * ("演示" in name)
        scale = 8
        seen = sheet.render(scale=scale * 25.4 / 72).to_pil().convert("RGB")
        red = ImageChops.subtract(seen.getchannel("R"), seen.getchannel("G")).point(lambda shade: 255 * (shade > 60))
        edges = [edge / scale for edge in red.getbbox() or ()]
        assert edges == pytest.approx([x, y, right, bottom], abs=0.5)
        disc = Image.new("L", red.size)
        ImageDraw.Draw(disc).ellipse([scale * edge for edge in (x + 2, y + 2, right - 2, bottom - 2)], fill=255)
        ring = Image.new("L", red.size)
        ImageDraw.Draw(ring).ellipse([scale * edge for edge in (x + 1.2, y + 1.2, right - 1.2, bottom - 1.2)], fill=255)
        gap = ImageChops.multiply(ImageChops.subtract(ring, disc), red)  # between the two rings nothing else is red
        assert sum(gap.histogram()[128:]) < 0.5 * sum(ring.histogram()[128:]) - 0.5 * sum(disc.histogram()[128:])
        assert sum(ImageChops.multiply(disc, red).histogram()[128:]) > 0.02 * sum(disc.histogram()[128:])

    def test_every_character_of_the_seal_name_is_drawn_from_left_to_right(self) -> None:
        """Over the top; the first and the last character are at the same height."""
        turned = [
            float(angle) for angle in re.findall(r"<path transform=.rotate\(([-\d.]+)\)", picture("江苏省新闻出版局"))
        ]
        assert (len(turned), turned) == (8, sorted(turned))
        assert turned[0] == pytest.approx(-turned[-1])
