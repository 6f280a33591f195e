"""The certificate as paper (手册 第二章·打印): laid out from its frozen snapshot, made once, and kept."""

import hashlib
from base64 import b64encode
from datetime import date
from decimal import Decimal
from typing import Any

import segno
from flask import current_app, render_template
from flask_babel import gettext as _
from sqlalchemy import Date
from sqlalchemy.exc import DBAPIError

from models import access, clock
from models.application import Application
from models.application.attachments import Store
from models.application.carriers import Carrier
from models.certificate import Certificate, Paper, paper_queue
from models.certificate.typesetting import Jammed, Order, Press
from models.columns import granted, paper_parts
from models.database import tidy
from models.signing import check_code, signatures
from models.signing.check_code import Facts
from models.signing.keys import Keys, Signer
from models.workflow import Refused
from views.certificate.paper_layout import form_lines, layout
from views.certificate.paper_text import typeset
from views.certificate.round_seal import picture

HEADS = {column.key: column.info.get("label") for column in Certificate.__table__.columns}
PRESS = Press()


class Lost(RuntimeError):
    """The stored bytes of a paper are missing or changed: they come back from a backup only, never from the press."""


def paper(certificate: Certificate, store: Store) -> bytes:
    """The one file of a certificate whose paper is made, as it was made. Raises Lost."""
    assert certificate.paper is not None
    digest = certificate.paper.digest
    try:
        with store.open(digest) as file:
            content = file.read()
    except FileNotFoundError:
        raise Lost(f"the paper of {certificate.number} is gone: {digest}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise Lost(f"the paper of {certificate.number} is not what it was: {digest}")
    return content


def complete(key: int, store: Store, keys: Keys) -> None:
    """Set, sign and keep the paper of a granted certificate, outside any transaction, and take it off the queue.

    Whoever is first stays first: one paper a certificate, whatever crashed or raced before (手册 第二章·打印). For a
    worker: it takes seconds, a minute for thousands of carrier rows. Raises Jammed, Busy or Refused.
    """
    with access.everything() as session:
        certificate = session.get_one(Certificate, key)
        if certificate.paper is None:
            application_id, authority = certificate.application_id, certificate.authority
            whole = order(certificate, str(certificate.application.province), keys)
            session.rollback()  # nothing is held while it is being printed
            made = Paper(certificate_id=key, application_id=application_id, made_at=clock.now())
            made.digest = store.keep(_proved(PRESS.made(whole), keys, authority))  # bytes before the row naming them
            session.add(made)
            try:
                paper_queue.finish(session, key)
                session.commit()
                return
            except DBAPIError:  # by the table's own rule or by the guard's: there is a paper already
                session.rollback()
                if session.get_one(Certificate, key).paper is None:
                    raise
        paper_queue.finish(session, key)
        session.commit()


def _proved(paper: bytes, keys: Keys, authority: str) -> bytes:
    """The paper, once its signature has been judged as its readers will judge it: nothing else is ever kept."""
    try:
        signatures.paper_signer(paper, keys.trusted(), authority)
    except Refused as unfit:
        raise Jammed(str(unfit)) from None
    return paper


def order(certificate: Certificate, province: str, keys: Keys) -> Order:
    """What the press is to make: from the snapshot, never from what is said now."""
    signer = keys.signer(province)
    html = page(certificate, code_of(certificate, signer), signer.name)
    return Order(html, certificate.content, certificate.issued_on, keys, province)


def code_of(certificate: Certificate, signer: Signer) -> str:
    """What its QR picture says beside the address."""
    snapshot = certificate.snapshot
    said_there = (certificate.number, certificate.issued_on, snapshot["publisher_name"], snapshot["title"])
    return check_code.signed(Facts(*said_there, certificate.digest), signer.code_key)


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


def label(name: str) -> str:
    """The field's label where it stands on its column; both credit codes share theirs."""
    return str(Application.__table__.columns["applicant_code" if name == "publisher_code" else name].info["label"])


def said(snapshot: dict[str, Any], name: str) -> str:
    """The field's text, a date as on official papers; a dash where nothing was filed, so that nothing can be added."""
    text = snapshot.get(name, "—")
    is_date = isinstance(Application.__table__.columns[name].type, Date)
    return dated(date.fromisoformat(text)) if is_date and text != "—" else text


def dated(day: date) -> str:
    """2026年11月3日: Arabic numerals, no leading zeros (GB/T 9704-2012, 7.3.5.4)."""
    return f"{day.year}年{day.month}月{day.day}日"


def columns_for(carriers: list[dict[str, str]]) -> dict[str, str]:
    """Column → heading: the required ones always, the others where any row fills them."""
    fields = {name: Carrier.__table__.columns[name].info for name in granted(Carrier)}
    return {
        name: str(info["label"])
        for name, info in fields.items()
        if name == "position" or info.get("required") or any(name in row for row in carriers)
    }


def total_of(carriers: list[dict[str, str]]) -> str:
    """共 3 条；020-片 1500；140-盒 20: how many rows, and the sum for each unit."""
    sums: dict[str, Decimal] = {}
    for row in carriers:
        sums[row["unit"]] = sums.get(row["unit"], Decimal()) + Decimal(row["quantity"])
    parts = [_("共 %(count)s 条", count=len(carriers))] + [f"{unit} {tidy(sums[unit])}" for unit in sorted(sums)]
    return "；".join(parts)
