"""Demo data: accounts, and applications in every status, made by the real acts and with real PDF attachments."""

import io
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
from flask_babel import gettext as _
from markupsafe import escape
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import clock, customs, workflow
from models.acts import drafts, filing, uploads
from models.acts.completeness import required_of
from models.application import Application
from models.application.attachments import Store
from models.application.carriers import Carrier
from models.application.changes import OWN_FIELDS
from models.certificate import Office
from models.certificate.paper_queue import PaperTask
from models.columns import shown
from models.customs import CustomsMessage
from models.notifications import Notification
from models.people.accounts import Account, Entrustment, Organisation, publishers_for
from models.vocabulary import Action, AttachmentKind, Category, Role, Step, Trade

PASSWORD = "demo-Pass-2026"
CARRIER = ("kind", "specification", "quantity", "unit", "name", "unit_price", "currency")
FACTS = ("applicant_name", "publisher_name", "title", "catalogue_number", "manufacturer", "contract_number")
STYLE = 'section { break-after: page } h1 { text-align: center } body { font: 12pt/2 "Noto Serif CJK SC" }'

Record = dict[str, Any]


def _data() -> Record:
    """The content of demo.toml."""
    return tomllib.loads(Path(__file__).with_name("demo.toml").read_text(encoding="utf-8"))


def add_people(session: Session) -> dict[str, Account]:
    """The demo accounts by user name, created where missing, with organisations and an entrustment; flushes."""
    data = _data()
    organisations = {row["credit_code"]: _organisation(session, row) for row in data["organisation"]}
    cast = {row["username"]: _person(session, row, organisations) for row in data["person"]}
    session.flush()
    publisher, agent = cast["publisher"].organisation, cast["agent"].organisation
    if publisher and agent and publisher not in publishers_for(session, agent.id):
        today, year = clock.today(), timedelta(days=365)
        session.add(Entrustment(publisher=publisher, agent=agent, since=today - year, until=today + year))
        session.flush()
    return cast


def _organisation(session: Session, row: Record) -> Organisation:
    found = session.scalar(select(Organisation).where(Organisation.credit_code == row["credit_code"]))
    if found is None:
        found = Organisation(**row | {"trade": Trade(row["trade"])})
        session.add(found)
    return found


def _person(session: Session, row: Record, organisations: dict[str, Organisation]) -> Account:
    found = session.scalar(select(Account).where(Account.username == row["username"]))
    if found is None:
        found = Account(
            **row | {"role": Role(row["role"]), "organisation": organisations.get(row.get("organisation", ""))}
        )
        found.set_password(PASSWORD)
        session.add(found)
    return found


def file_cases(session: Session, cast: dict[str, Account], store: Store, office: Office, limit: int) -> int:
    """File every case, oldest first; the number filed, 0 when any exists already. `limit`: bytes of an attachment."""
    data = _data()
    numbers = [case["contract_number"] for case in data["case"]]
    if session.scalar(select(Application.id).where(Application.contract_number.in_(numbers)).limit(1)):
        return 0
    for case in sorted(data["case"], key=lambda case: -int(case["ago"])):
        _file(session, data["usual"] | case, cast, store, office, limit)
    _queue_now(session)
    return len(numbers)


def _queue_now(session: Session) -> None:
    """Set the time of queued messages and papers to now, or /healthz would report them as overdue; mark old
    notifications as read."""
    unsent = update(CustomsMessage).where(CustomsMessage.attempts == 0, CustomsMessage.answered_at.is_(None))
    session.execute(unsent.values(queued_at=clock.now()))
    session.execute(update(PaperTask).values(queued_at=clock.now()))
    old = Notification.at < clock.now() - timedelta(days=20)
    session.execute(update(Notification).where(old).values(read_at=Notification.at))


def _file(session: Session, case: Record, cast: dict[str, Account], store: Store, office: Office, limit: int) -> None:
    by, moments = cast[case["by"]], _moments(case["ago"])
    with clock.fixed(next(moments)):
        application = _draft(session, case, by)
        if case.get("complete", True):
            kinds = [kind for kind in AttachmentKind if kind in required_of(application)]
            _attach(session, application, kinds, by, store, limit)
    for act, *words in case["story"]:
        with clock.fixed(next(moments)):
            if act == Step.ATTACH:
                _attach(session, application, [AttachmentKind(word) for word in words], by, store, limit)
            elif act in set(Step):
                accepted = Step(act) is Step.CUSTOMS_ACCEPTED
                customs.record_answer(session, accepted, *words, CustomsMessage.application_id == application.id)
                filing.record_customs_reply(session, application, accepted, *words)
            else:
                who = by if Role.PUBLISHER in workflow.ACTS[Action(act)].by else cast["reviewer"]
                filing.perform(session, Action(act), application, who, "".join(words), office=office)


def _moments(ago: int) -> Iterator[datetime]:
    """Moments on working days, from `ago` days back to now: the acts of a case are dated with them."""
    moment, pause = clock.now().replace(hour=9, minute=12) - timedelta(days=ago), timedelta(minutes=47)
    while True:
        yield min(moment - timedelta(days=max(0, moment.weekday() - 4)), clock.now())
        moment, pause = moment + pause, timedelta(days=3, minutes=53)


def _draft(session: Session, case: Record, by: Account) -> Application:
    application = drafts.start(session, by)
    with drafts.revising(session, application, application.version, by):
        for name in set(case) & set(OWN_FIELDS):
            setattr(application, name, case[name])
        application.category = Category(case["category"])
        application.consignee, application.contact = application.publisher_name, by.name
        application.expected_on = clock.today() + timedelta(days=case.get("expected", 60))
        application.carriers = [_carrier(row) for row in case["carriers"]]
        for volume in range(1, case.get("volumes", 0) + 1):
            application.carriers.append(_carrier(case["volume"], _("第 %(number)s 张", number=volume)))
    return application


def _carrier(row: list[str], name: str = "") -> Carrier:
    values: Record = {field: value or None for field, value in zip(CARRIER, row, strict=True)}
    amounts = {field: Decimal(values[field]) for field in ("quantity", "unit_price")}
    return Carrier(**values | amounts | {"name": name or values["name"]})


def _attach(
    session: Session,
    application: Application,
    kinds: list[AttachmentKind],
    by: Account,
    store: Store,
    limit: int,
) -> None:
    """Attach one PDF of each kind, replacing the current one of that kind."""
    current = {file.kind: file.id for file in application.current_attachments}
    for kind, pdf in zip(kinds, _pdfs(application, kinds), strict=True):
        name = f"{kind.label}.pdf"
        uploads.attach(session, application, kind, io.BytesIO(pdf), name, by, store, limit, current.get(kind))


def _pdfs(application: Application, kinds: list[AttachmentKind]) -> Iterator[bytes]:
    """A PDF of one page for each kind. All pages are rendered in one run, then split: rendering is what takes time."""
    from weasyprint import HTML  # imported here: it takes a second to load

    columns = Application.__table__.columns
    facts = "".join(f"<p>{columns[name].info['label']}：{escape(shown(application, name))}</p>" for name in FACTS)
    pages = "".join(f"<section><h1>{kind.label}</h1>{facts}</section>" for kind in kinds)
    with pikepdf.open(io.BytesIO(HTML(string=f"<style>{STYLE}</style>{pages}").write_pdf())) as whole:
        for page in whole.pages:
            pdf, out = pikepdf.new(), io.BytesIO()
            pdf.pages.append(page)
            pdf.save(out)
            yield out.getvalue()
