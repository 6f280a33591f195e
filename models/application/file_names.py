"""Cleaning of the file names of attachments."""

import unicodedata

from flask_babel import lazy_gettext as _l

from models.language import recorded


def clean_name(name: str) -> str:
    """A file's name as people see it: no path, no control or direction marks, at most 255 bytes of UTF-8."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C").strip() or recorded(_l("未命名"))
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending if stem and len(ending) <= 8 else ""
    stem = stem if ending else name
    while len((stem + ending).encode()) > 255:
        stem = stem[:-1]
    return stem + ending
