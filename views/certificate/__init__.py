"""How the certificate looks on paper (手册 第二章·打印): HTML, laid out from its frozen snapshot."""

from base64 import b64encode

import segno
from flask import current_app, render_template
from flask_babel import gettext as _

from models.application import Application
from models.certificate import Certificate
from models.certificate.words import HEADS, columns_for, dated, label, said, total_of
from models.columns import paper_parts
from views.certificate.paper_layout import form_lines, layout
from views.certificate.paper_text import typeset
from views.certificate.round_seal import picture


def page(certificate: Certificate, code: str, seal: str) -> str:
    """The certificate as HTML, with its QR code and the name on its seal."""
    address = f"{current_app.config['BASE_URL'].rstrip('/')}/verify/{certificate.number}"
    snapshot = certificate.snapshot
    columns = columns_for(snapshot["carriers"])
    parts = paper_parts(Application)
    texts = {name: said(snapshot, name) for _part, lines in parts for line in lines for name in line}
    return render_template(
        "certificate/certificate.html",
        certificate=certificate,
        snapshot=snapshot,
        parts=[(part.label, list(form_lines(lines, texts))) for part, lines in parts],
        texts=texts,
        columns=columns,
        layout=layout(snapshot["carriers"], columns),
        total=total_of(snapshot["carriers"]),
        typeset=typeset,
        heads=HEADS,
        label=label,
        said=said,
        dated=dated,
        address=address,
        seal=seal,
        seal_picture=seal_picture(seal),
        code=segno.make_qr(f"{address}?c={code}", error="m").svg_data_uri(),
    )


def seal_picture(seal: str) -> str:
    """The round seal as the address of a picture; one for show says so."""
    lines = [_("电子印章"), *([_("演示用，无法律效力")] if "演示" in seal else [])]
    return "data:image/svg+xml;base64," + b64encode(picture(seal, *lines).encode()).decode()
