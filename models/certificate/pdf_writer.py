"""Adds a signature to a PDF/A-3, which is PDF 1.7 (ISO 19005-3, 6.1.2): pyHanko's own writer would declare PDF 2.0."""

from typing import Any

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

VERSION = (1, 7)


class ArchivalWriter(IncrementalPdfFileWriter):
    """An incremental update that leaves the version of the file as it is."""

    output_version = VERSION

    def ensure_output_version(self, version: Any) -> None:
        """Never raised: what PAdES adds is known to readers of PDF 1.7 by the extension ESIC, which is declared."""

    def register_extension(self, ext: Any) -> None:
        """Extensions of PDF 2.0 are not declared; that for elliptic curves says nothing a verifier needs."""
        if ext.base_version == "/1.7":
            super().register_extension(ext)
