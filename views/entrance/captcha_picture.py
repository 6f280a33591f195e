"""The picture of a 验证码; imported when the first one is drawn."""

import io
from typing import ClassVar

from captcha.image import ImageCaptcha

INK, PAPER = (27, 95, 180), (247, 249, 252)


class LegibleCaptcha(ImageCaptcha):
    """The package's pictures, easier to read: darker digits that hardly overlap."""

    lookup_table: ClassVar = [min(3 * light, 255) for light in range(256)]
    word_offset_dx = 0.12


IMAGE_CAPTCHA = LegibleCaptcha(width=264, height=88, font_sizes=(56, 62, 68))


def picture_of(digits: str) -> io.BytesIO:
    """The digits as a PNG."""
    return IMAGE_CAPTCHA.generate(digits, bg_color=PAPER, fg_color=(*INK, 255))
