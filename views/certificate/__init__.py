"""The certificate as HTML (手册 第二章·打印), from its snapshot."""

from base64 import b64encode
from typing import Any

from flask import current_app, render_template
from flask_babel import gettext as _

from models.application import Application
from models.certificate import Certificate, frozen
from models.certificate.display import HEADS, columns_for, dated, field_text, label, total_of
from models.certificate.typesetting import IDENTIFIER
from models.columns import paper_parts
from models.language import in_chinese
from views.certificate.paper_layout import form_lines, layout
from views.certificate.paper_text import typeset
from views.certificate.round_seal import picture


@in_chinese()
def page(certificate: Certificate, code: str, seal: str, demo: bool = False) -> str:
    """The certificate as HTML, with its QR code and the name on its seal; a demo seal says what it is."""
    import segno

    address = f"{current_app.config['BASE_URL'].rstrip('/')}/verify/{certificate.number}"
    return render_template(
        "certificate/certificate.html",
        certificate=certificate,
        address=address,
        seal=seal,
        seal_picture=seal_picture(seal, demo),
        identifier=certificate.identifier,
        IDENTIFIER=IDENTIFIER,
        code=segno.make_qr(f"{address}?c={code}", error="m").svg_data_uri(),
        **content(certificate.snapshot),
    )


@in_chinese()
def preview(application: Application, words: dict[str, Any], why_not: str) -> str:
    """Preview of a certificate that is not issued: its text as HTML, without number, code and seal. Writes nothing.

    `words`: as Office.words(); `why_not`: why it cannot be issued now, or "".
    """
    return render_template(
        "certificate/certificate.html",
        certificate=words,
        preview=True,
        why_not=why_not,
        **content(frozen(application)),
    )


def content(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Template context from a snapshot: its texts, layout and formatting functions."""
    columns = columns_for(snapshot["carriers"])
    parts = paper_parts(Application)
    texts = {name: field_text(snapshot, name) for _part, lines in parts for line in lines for name in line}
    return {
        "snapshot": snapshot,
        "parts": [(part.label, list(form_lines(lines, texts))) for part, lines in parts],
        "texts": texts,
        "columns": columns,
        "layout": layout(snapshot["carriers"], columns),
        "total": total_of(snapshot["carriers"]),
        "typeset": typeset,
        "heads": HEADS,
        "label": label,
        "field_text": field_text,
        "dated": dated,
    }


def seal_picture(seal: str, demo: bool) -> str:
    """The round seal as a data URL of an SVG; `demo`: it says that it has no legal effect."""
    lines = [_("电子印章"), *([_("演示用，无法律效力")] if demo else [])]
    return "data:image/svg+xml;base64," + b64encode(picture(seal, *lines).encode()).decode()
