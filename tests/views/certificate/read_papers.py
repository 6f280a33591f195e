"""A paper as another program reads it."""

import re

import pypdfium2


def pages(document: bytes) -> list[str]:
    """The text of every page, without blanks: a wrapped cell reads like an unwrapped one."""
    texts = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(document)]
    return [re.sub(r"\s", "", text.replace("\ufffe", "-").replace("\x02", "-")) for text in texts]


def tight(text: str) -> str:
    """The same text as `pages` would read it."""
    return re.sub(r"\s", "", text)
