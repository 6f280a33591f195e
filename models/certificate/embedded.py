"""The snapshot attached to a paper: identifies the certificate of a PDF without the database."""

import hashlib
from typing import BinaryIO

from models.certificate.typesetting import SNAPSHOT


def embedded_digest(paper: BinaryIO) -> str | None:
    """SHA-256 of the snapshot attached to this PDF, which is the certificate's `digest`; None for any other file.

    Does not show who made the PDF: its signature does (models/signing/signatures.py).
    """
    import pikepdf

    try:
        with pikepdf.open(paper) as pdf:
            return hashlib.sha256(pdf.attachments[SNAPSHOT].get_file().read_bytes()).hexdigest()
    except (pikepdf.PdfError, KeyError, ValueError):
        return None
