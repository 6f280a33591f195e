"""Adds a signature to a PDF/A-3, which is PDF 1.7 (ISO 19005-3, 6.1.2): pyHanko's own writer would declare PDF 2.0."""

from typing import Any

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

VERSION = (1, 7)


class ArchivalWriter(IncrementalPdfFileWriter):
    """An incremental update that keeps the PDF version of the file."""

    output_version = VERSION

    def ensure_output_version(self, version: Any) -> None:
        """Keeps the version: for readers of PDF 1.7, PAdES is declared as extension ESIC."""

    def register_extension(self, ext: Any) -> None:
        """Leaves out extensions of PDF 2.0; the one for elliptic curves is not needed to verify."""
        if ext.base_version == "/1.7":
            super().register_extension(ext)
