"""The certificate as paper (手册 第二章·打印), and the public page that says whether one holds."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import segno
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Date, select

from models import access, workflow
from models.application import Application, Carrier
from models.certificate import CARRIER_FIELDS, Certificate
from models.db import tidy
from models.numbering import is_certificate_number
from models.workflow import Refused

Line = tuple[str, ...]
PARTS: tuple[tuple[Any, tuple[Line, ...]], ...] = (
    (
        _l("单位"),
        (("applicant_name", "applicant_code"), ("publisher_name", "publisher_code"), ("filing", "applied_on")),
    ),
    (
        _l("出版物"),
        (("title",), ("category", "catalogue_number"), ("isbn", "isrc"), ("copyright_owner",)),
    ),
    (
        _l("境外加工"),
        (("manufacturer",), ("country", "sid_code"), ("contract_number",)),
    ),
    (
        _l("进口"),
        (("port", "expected_on"), ("consignee",), ("hs_code", "trade_mode")),
    ),
)
HEADS = {column.key: column.info.get("label") for column in Certificate.__table__.columns}
STYLE = Path(__file__).parent.parent / "templates" / "static" / "certificate.css"
PRESS = Lock()  # one certificate at a time: a FontConfiguration that two threads share hangs both

verify = Blueprint("verify", __name__, url_prefix="/verify")


def pdf(certificate: Certificate) -> bytes:
    """The certificate on A4, from its frozen snapshot alone: what was granted, never what the application says now."""
    address = f"{current_app.config['BASE_URL'].rstrip('/')}/verify/{certificate.number}"
    snapshot = certificate.snapshot
    html = render_template(
        "certificate.html",
        certificate=certificate,
        snapshot=snapshot,
        parts=PARTS,
        columns=columns_for(snapshot["carriers"]),
        total=total_of(snapshot["carriers"]),
        heads=HEADS,
        label=label,
        said=said,
        dated=dated,
        address=address,
        code=segno.make_qr(address, error="m").svg_data_uri(),
    )
    return printed(html)


def printed(html: str) -> bytes:
    """HTML to PDF by our own style sheet; what the page asks of a disk or a network is left out.

    Raises Refused when a character is in none of the fonts (GB 18030-2022: names with rare characters must print).
    """
    from weasyprint import CSS, HTML  # late: half a second that start-up need not wait for
    from weasyprint.urls import URLFetcher

    fence = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    with PRESS:
        style = CSS(filename=STYLE, url_fetcher=fence, font_config=_fonts())
        document = HTML(string=html, url_fetcher=fence).render(stylesheets=[style], font_config=_fonts())
        paper = bytes(document.write_pdf())
    missing = sorted({code for font in document.fonts.values() for code in font.missing})
    if missing:  # a box in place of a character must never leave the house under a seal
        signs = "、".join(f"{chr(code)}（U+{code:04X}）" for code in missing)
        raise Refused(_("打印字库缺少字符 %(signs)s，请联系系统管理员安装含有这些字符的字体后再打印。", signs=signs))
    return paper


@cache
def _fonts() -> Any:
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


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
    fields = {name: Carrier.__table__.columns[name].info for name in CARRIER_FIELDS}
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


@verify.get("/")
@verify.get("/<path:number>")
def show(number: str = "") -> ResponseReturnValue:
    """有效, 已作废 or 查无此证, for whoever holds a certificate, by its exact number alone."""
    if typed := request.args.get("number", "").strip().upper():
        return redirect(url_for("verify.show", number=typed))
    return render_template("verify.html", asked=bool(number), **_known(number))


def _known(number: str) -> dict[str, Any]:
    """What anybody who holds the number may read; nothing for a number that is malformed or unknown."""
    if not is_certificate_number(number):
        return {}
    with access.everything() as session:
        certificate = session.scalar(select(Certificate).where(Certificate.number == number))
        if certificate is None:
            return {}
        return {"valid": certificate.application.status in workflow.VALID, "facts": _facts(certificate)}


def _facts(certificate: Certificate) -> dict[str, str]:
    """What a customs officer compares with the paper."""
    snapshot = certificate.snapshot
    return (
        {str(HEADS["number"]): certificate.number}
        | {label(name): said(snapshot, name) for name in ("publisher_name", "title", "port")}
        | {str(Application.carriers.property.info["label"]): total_of(snapshot["carriers"])}
        | {str(HEADS["authority"]): certificate.authority, str(HEADS["issued_on"]): dated(certificate.issued_on)}
    )
