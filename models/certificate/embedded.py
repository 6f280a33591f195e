"""The snapshot inside a paper: which certificate a PDF is of, whatever row refers to it."""

import hashlib
from typing import BinaryIO

import pikepdf

from models.certificate.typesetting import SNAPSHOT


def embedded_digest(paper: BinaryIO) -> str | None:
    """SHA-256 of the snapshot attached to this PDF, which is the certificate's `digest`; None for any other file.

    Says nothing about who made the PDF: that is its signature's part (models/signing/signatures.py).
    """
    try:
        with pikepdf.open(paper) as pdf:
            return hashlib.sha256(pdf.attachments[SNAPSHOT].get_file().read_bytes()).hexdigest()
    except (pikepdf.PdfError, KeyError, ValueError):
        return None
