"""The people of the tests, the application they make, and the acts that bring it to every status."""

import io
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pikepdf
from flask import Flask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import access, clock, customs, deadlines, saved_queries
from models.acts import drafts, filing, uploads
from models.application import Application, blank_forms
from models.application.attachments import Attachment, Store
from models.application.carriers import Carrier
from models.codes import seed_districts
from models.database import db
from models.log import Place
from models.notifications import Notification, announcements, reminders
from models.people.accounts import CODE_SIGNS, Account, Entrustment, Organisation, valid_credit_code
from models.vocabulary import Action, AttachmentKind, Category, Role, Status, Trade
from views.certificate import paper_worker
from views.resources import office

PASSWORD = "demo-Pass-2026"
FIELDS: dict[str, Any] = {
    "title": "黑胶唱片《茉莉花》",
    "category": Category.AUDIOVISUAL,
    "catalogue_number": "ISRC CN-C18-26-0009-0/V·J4",
    "summary": "江苏民歌选集，收录十二首。",
    "copyright_owner": "江苏文艺音像出版社",
    "manufacturer": "Optimal Media GmbH",
    "country": "DEU",
    "contract_number": "HT-2026-018",
    "port": "2201",
    "consignee": "江苏文艺音像出版社",
    "hs_code": "8523499030",
    "trade_mode": "0110",
    "expected_on": clock.today() + timedelta(days=90),
    "contact": "王敏",
    "phone": "025-83210000",
}
STEPS_TO: dict[Status, tuple[Action | bool, ...]] = {  # the acts that lead there; True and False are customs' replies
    Status.DRAFT: (),
    Status.PENDING: (Action.SUBMIT,),
    Status.RETURNED: (Action.SUBMIT, Action.RETURN),
    Status.NOT_ACCEPTED: (Action.SUBMIT, Action.DECLINE),
    Status.REFUSED: (Action.SUBMIT, Action.REFUSE),
    Status.FILED: (Action.SUBMIT, Action.GRANT),
    Status.CUSTOMS_RECEIVED: (Action.SUBMIT, Action.GRANT, True),
    Status.CUSTOMS_FAILED: (Action.SUBMIT, Action.GRANT, False),
    Status.REVOKED: (Action.SUBMIT, Action.GRANT, Action.REVOKE),
}


def add_cast(session: Session) -> None:
    """The people of every test, their organisations, and the entrustment that lets the agent file."""
    publisher = Organisation(
        credit_code="12320000466000101W", name="江苏文艺音像出版社", trade=Trade.PUBLISHER, province="320000"
    )
    other = Organisation(
        credit_code="91320000134700202X", name="江苏电子音像出版社", trade=Trade.PUBLISHER, province="320000"
    )
    unit = Organisation(
        credit_code="91320000567800303F", name="南京光盘进出口有限公司", trade=Trade.AGENT, province="320000"
    )
    people = [
        Account(username="publisher", name="王敏", role=Role.PUBLISHER, organisation=publisher),
        Account(username="publisher2", name="李想", role=Role.PUBLISHER, organisation=other),
        Account(username="agent", name="赵强", role=Role.PUBLISHER, organisation=unit),
        Account(username="reviewer", name="陈静", role=Role.REVIEWER, province="320000"),
        Account(username="reviewer2", name="黄伟", role=Role.REVIEWER, province="440000"),
        Account(username="national", name="周国", role=Role.NATIONAL),
        Account(username="operator", name="孙维", role=Role.OPERATOR),
    ]
    people[0].set_password(PASSWORD)
    for account in people:
        account.password_hash, account.must_change = people[0].password_hash, False
    session.add_all(people)
    session.add(Entrustment(publisher=publisher, agent=unit, since=date(2020, 1, 1), until=date(2099, 12, 31)))
    seed_districts(session)
    deadlines.prepare(session)
    session.commit()


def add_publisher(session: Session, province: str, by_agent: str = "") -> str:
    """Add a publisher, its account and the first reviewer of its province, and commit; returns its user name."""
    body = f"12{province}466000{province[:3]}"
    code = next(body + sign for sign in CODE_SIGNS if valid_credit_code(body + sign))
    publisher = Organisation(credit_code=code, name=f"{province}音像出版社", trade=Trade.PUBLISHER, province=province)
    known = select(Account).where(Account.province == province)
    people = [Account(username=f"publisher{province}", name="林涛", role=Role.PUBLISHER, organisation=publisher)]
    if session.scalar(known) is None:
        people.append(Account(username=f"desk{province}", name="何平", role=Role.REVIEWER, province=province))
    for account in people:
        account.password_hash, account.must_change = "", False
    session.add_all(people)
    if by_agent:
        agent = session.scalars(select(Account).where(Account.username == by_agent)).one().organisation
        session.add(Entrustment(publisher=publisher, agent=agent, since=date(2020, 1, 1), until=date(2099, 12, 31)))
    session.commit()
    return people[0].username


def announced(app: Flask, **fields: Any) -> tuple[int, dict[str, int]]:
    """Announce something to everybody today, and commit; returns (id, user name → id of the message about it)."""
    today = clock.today()
    given = {"title": "系统维护", "text": "本周六停机。", "roles": frozenset(Role), "since": today, "until": today}
    with app.app_context(), access.everything() as session:
        key = announcements.save(session, None, given | fields, account_of("operator"), Place()).id
        reminders.announce(session)
        session.commit()
        messages = select(Account.username, Notification.id).join(Account, Account.id == Notification.account_id)
        return key, dict(session.execute(messages.where(Notification.announcement_id == key)).all())  # type: ignore[arg-type]


def blank_form(app: Flask, kind: AttachmentKind, name: str = "空白表“一”.pdf") -> None:
    """Offer a blank form for this kind of attachment as the operator, and commit."""
    with app.app_context():
        access.enter(by := account_of("operator"))
        stored = Store(app.config["STORE"]).put(io.BytesIO(small_pdf(kind.value)), name, 1 << 20)
        blank_forms.save(db.session(), kind, 0, stored, name, by)
        db.session.commit()


def add_saved_query(app: Flask, username: str) -> int:
    """Save a 常用查询 about this account's messages, and commit; returns its id."""
    with app.app_context():
        access.enter(by := account_of(username))
        key = saved_queries.save(db.session(), "messages", "未读", {"state": "unread"}, "状态：未读", by).id
        db.session.commit()
        return key


def account_of(username: str, session: Session | None = None) -> Account:
    """The account of one of the cast, in this session, by default that of the context."""
    return (session or db.session).scalars(select(Account).where(Account.username == username)).one()


def upload(
    app: Flask, application: Application, kind: AttachmentKind, file: bytes, by: Account, name: str = ""
) -> Attachment:
    """Attach a file of this kind, by default under the name of the kind; the caller commits."""
    store, name = Store(app.config["STORE"]), name or f"{kind.label}.pdf"
    return uploads.attach(db.session(), application, kind, io.BytesIO(file), name, by, store, 1 << 20)


def draft(app: Flask, by: str, carriers: int, fields: dict[str, Any], a_file: Any) -> int:
    """Create and commit a complete draft of this person; returns its id. `fields`: override columns, None: empty."""
    with app.app_context():
        filer = account_of(by)
        access.enter(filer)
        application = drafts.start(db.session(), filer)
        with drafts.revising(db.session(), application, application.version, filer):
            for name, value in (FIELDS | fields).items():
                assert name in Application.__table__.columns, name
                setattr(application, name, value)
            application.carriers = [
                Carrier(specification="12 英寸黑胶唱片", quantity=Decimal(1000 + n), unit="010", kind="黑胶唱片")
                for n in range(carriers)
            ]
        for kind in AttachmentKind:
            if kind.required(application.filing):
                upload(app, application, kind, a_file(kind.value), filer)
        db.session.commit()
        return application.id


def create_application(
    app: Flask, by: str = "publisher", status: str = "draft", carriers: int = 1, **fields: Any
) -> int:
    """Bring a new application to this status by real acts, and commit; returns its id. `fields`: as in draft()."""
    key = draft(app, by, carriers, fields, small_pdf)
    for step in STEPS_TO[Status(status)]:
        perform_step(app, step, key, by)
    return key


def perform_step(app: Flask, step: Action | bool, key: int, by: str) -> None:
    """Perform one step and commit, as the account it belongs to: filer, reviewer of the province, or customs."""
    with app.app_context(), access.everything() as session:
        application = session.get_one(Application, key)
        if isinstance(step, bool):
            customs.record_answer(session, step, "回执说明", customs.CustomsMessage.application_id == key)
            filing.record_customs_reply(session, application, step, "回执说明")
            session.commit()
            return
        reviewer = select(Account.username).where(Account.province == application.province)
        of_filer = step in (Action.SUBMIT, Action.WITHDRAW)
        who = by if of_filer else session.scalars(reviewer.order_by(Account.id).limit(1)).one()
    with app.app_context():
        account = account_of(who)
        access.enter(account)
        application = db.session.get_one(Application, key)
        filing.perform(
            db.session(),
            step,
            application,
            account,
            opinion="" if step is Action.GRANT else "材料需要核对。",
            office=office(),
        )
        db.session.commit()


@cache
def small_pdf(text: str) -> bytes:
    """A small PDF; its title is the text, and so is its page where the text is ASCII."""
    pdf, out = pikepdf.new(), io.BytesIO()
    pdf.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    pdf.pages[0].Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    shown = pikepdf.String(text.encode("ascii", "replace").decode()).unparse()
    pdf.pages[0].Contents = pdf.make_stream(b"BT /F1 12 Tf 72 770 Td " + shown + b" Tj ET")
    pdf.docinfo["/Title"] = text
    pdf.save(out, static_id=True)
    return out.getvalue()


def make_papers(app: Flask) -> None:
    """One round of the worker that makes papers, as `flask certificate work` does it: every paper that is due."""
    with app.app_context(), access.everything() as session:
        failures = [
            failure for _number, failure in paper_worker.make_due_papers(session, paper_worker.pace()) if failure
        ]
    assert failures == []


def small_png() -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#1b5fb4").save(out, "PNG")
    return out.getvalue()
