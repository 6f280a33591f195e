"""Rows of a register after some weeks: applications in every status, files of every kind, messages to customs."""

import io
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask
from PIL import Image
from sqlalchemy import select

from models import access, clock
from models.acts import filing, uploads
from models.application import Application
from models.application.attachments import Attachment
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.database import db
from models.people import calendar_feeds
from models.vocabulary import Action, AttachmentKind, Status
from tests.cast import (
    account_of,
    add_saved_query,
    announced,
    blank_form,
    create_application,
    draft,
    make_papers,
    small_pdf,
    upload,
)
from tests.serving import Server
from tests.views.customs_server import CustomsServer
from views.demo.simulator import receipt

TITLE = "黑胶唱片《茉莉花》“典藏”; 100% é"


@dataclass
class Rows:
    """Numbers in the database: applications by status, messages, files of a draft and of two that were issued."""

    applications: dict[str, int]
    issued: list[int]
    files: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    certificates: list[Any] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)  # tokens of recorded prints of many, one per reader
    announcement: int = 0
    feed: str = ""  # the token of the reviewer's calendar
    notices: list[int] = field(default_factory=list)  # messages about it
    queries: list[int] = field(default_factory=list)  # 常用查询 of each account


@cache
def shared_rows(server: Server) -> Rows:
    """The rows of this server, created at first use; tests of GET may share them, because none changes them."""
    app = server.app
    aside, sent = (create_application(app, "publisher", "filed", title=TITLE) for _time in range(2))
    deliver(app, server.log.parent)
    ways = {
        status: create_application(app, "publisher", status, 2, title=TITLE) for status in Status if status != "draft"
    }
    ways[Status.DRAFT] = full_draft(app)
    agents = create_application(app, "agent", "filed")
    deleted = create_application(app, "publisher", "refused")
    with app.app_context():
        access.enter(by := account_of("publisher"))
        filing.perform(db.session(), Action.DELETE, db.session.get_one(Application, deleted), by)
        db.session.commit()
    rows = Rows({status.value: key for status, key in ways.items()} | {"deleted": deleted}, [aside, sent, agents])
    tomorrow = clock.today() + timedelta(days=1)  # tests may run past midnight
    rows.announcement, texts = announced(app, title=TITLE, until=tomorrow)
    rows.notices += texts.values()
    rows.queries += [add_saved_query(app, who) for who in ("publisher", "agent", "reviewer", "national", "operator")]
    blank_form(app, AttachmentKind.CONTRACT)
    with app.app_context():
        access.enter(by := account_of("reviewer2"))  # no other test stops this feed
        rows.feed = calendar_feeds.renew(db.session(), by)
        db.session.commit()
    make_papers(app)
    for username, key in (("publisher", ways[Status.FILED]), ("agent", agents)):
        assert server.client(username).post("/applications/prepare/", {"id": key}).status == 204
    for username, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
        texts = server.client(username).post(f"/{screen}/print-all/", {"pick": ways[Status.FILED]})
        rows.jobs.append(texts.location.partition("=")[2])
    with app.app_context(), access.everything() as session:
        shown = select(Attachment).where(Attachment.application_id.in_((aside, agents, ways[Status.DRAFT])))
        for file in session.scalars(shown.order_by(Attachment.id)):
            (rows.removed if file.removed_at else rows.files).append(file.id)
        rows.messages += session.scalars(select(CustomsMessage.id))
        found = session.execute(select(Certificate.number, Certificate.check_code)).mappings()
        rows.certificates += [SimpleNamespace(**certificate) for certificate in found]
    return rows


def deliver(app: Flask, folder: Path) -> None:
    """Deliver: customs accepts one message; the first one fails and is set aside."""
    customs_server, before = CustomsServer(folder), dict(app.config)
    customs_server.open()
    app.config.update(CUSTOMS_GATEWAY=customs_server.address, CUSTOMS_PACE={"tries": 1})
    with app.app_context(), access.everything() as session:
        first = session.scalars(select(CustomsMessage.message_id).order_by(CustomsMessage.id)).first()
    customs_server.tricks = [receipt(str(first), "-1201001", "报文格式错误")]
    assert app.test_cli_runner().invoke(args=["customs", "deliver"]).exit_code == 0
    app.config.update(CUSTOMS_GATEWAY=before["CUSTOMS_GATEWAY"], CUSTOMS_PACE=before["CUSTOMS_PACE"])
    customs_server.close()


def full_draft(app: Flask) -> int:
    """A draft with files of every kind and format, with long names and names with quotes; one file is removed."""
    key = draft(app, "publisher", 2, {"title": TITLE}, small_pdf)
    names = {"PNG": "扫描 “样品”; 1.png", "JPEG": "封面\u2019s é.jpg", "TIFF": "合同" * 40 + ".tif"}
    with app.app_context():
        access.enter(by := account_of("publisher"))
        application = db.session.get_one(Application, key)
        for kind in (AttachmentKind.COPYRIGHT, AttachmentKind.OTHER):
            upload(app, application, kind, small_pdf(kind.value), by)
        for form, name in names.items():
            upload(app, application, AttachmentKind.SAMPLE, picture(form), by, name)
        db.session.commit()
        removed = upload(app, application, AttachmentKind.OTHER, small_pdf("removed"), by)
        uploads.detach(db.session(), application, removed.id, by)
        db.session.commit()
    return key


def picture(form: str) -> bytes:
    """A small picture of this format."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#1b5fb4").save(out, form)
    return out.getvalue()
