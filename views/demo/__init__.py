"""The demonstration: named people, and cases in every status made by the real acts, with papers that open."""

import io
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pikepdf
from flask_babel import gettext as _
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock, customs, workflow
from models.acts import filing, uploads
from models.application import Application, Carrier
from models.application.attachments import Store
from models.application.changes import OWN_FIELDS
from models.certificate import Office
from models.columns import shown
from models.customs import CustomsMessage
from models.people.accounts import Account, Entrustment, Organisation, publishers_for
from models.vocabulary import Action, AttachmentKind, Category, Role, Step, Trade

PASSWORD = "demo-Pass-2026"
CARRIER = ("kind", "specification", "quantity", "unit", "name", "unit_price", "currency")
ON_PAPER = ("applicant_name", "publisher_name", "title", "catalogue_number", "manufacturer", "contract_number")
LOOK = 'section { break-after: page } h1 { text-align: center } body { font: 12pt/2 "Noto Serif CJK SC" }'

Told = dict[str, Any]


def _told() -> Told:
    return tomllib.loads(Path(__file__).with_name("demo.toml").read_text(encoding="utf-8"))


def people(session: Session) -> dict[str, Account]:
    """The cast by user name; whoever is there already is left alone."""
    told = _told()
    organisations = {row["credit_code"]: _organisation(session, row) for row in told["organisation"]}
    cast = {row["username"]: _person(session, row, organisations) for row in told["person"]}
    session.flush()
    press, agent = cast["publisher"].organisation, cast["agent"].organisation
    if press and agent and press not in publishers_for(session, agent.id):
        today, year = clock.today(), timedelta(days=365)
        session.add(Entrustment(publisher=press, agent=agent, since=today - year, until=today + year))
        session.flush()
    return cast


def _organisation(session: Session, row: Told) -> Organisation:
    found = session.scalar(select(Organisation).where(Organisation.credit_code == row["credit_code"]))
    if found is None:
        found = Organisation(**row | {"trade": Trade(row["trade"])})
        session.add(found)
    return found


def _person(session: Session, row: Told, organisations: dict[str, Organisation]) -> Account:
    found = session.scalar(select(Account).where(Account.username == row["username"]))
    if found is None:
        found = Account(
            **row | {"role": Role(row["role"]), "organisation": organisations.get(row.get("organisation", ""))}
        )
        found.set_password(PASSWORD)
        session.add(found)
    return found


def cases(session: Session, cast: dict[str, Account], store: Store, office: Office, limit: int) -> int:
    """File every case, the oldest first; none when one of them was filed before."""
    told = _told()
    numbers = [case["contract_number"] for case in told["case"]]
    if session.scalar(select(Application.id).where(Application.contract_number.in_(numbers)).limit(1)):
        return 0
    for case in sorted(told["case"], key=lambda case: -int(case["ago"])):
        _file(session, told["usual"] | case, cast, store, office, limit)
    return len(numbers)


def _file(session: Session, case: Told, cast: dict[str, Account], store: Store, office: Office, limit: int) -> None:
    by, moments = cast[case["by"]], _moments(case["ago"])
    with _at(next(moments)):
        application = _draft(session, case, by)
        if case.get("complete", True):
            kinds = [kind for kind in AttachmentKind if kind.required(application.filing)]
            _attach(session, application, kinds, by, store, limit)
    for act, *words in case["story"]:
        with _at(next(moments)):
            if act == Step.ATTACH:
                _attach(session, application, [AttachmentKind(word) for word in words], by, store, limit)
            elif act in set(Step):
                accepted = Step(act) is Step.CUSTOMS_ACCEPTED
                customs.settle(session, accepted, *words, CustomsMessage.application_id == application.id)
                filing.customs_replied(session, application, accepted, *words)
            else:
                who = by if Role.PUBLISHER in workflow.RULES[Action(act)].by else cast["reviewer"]
                filing.perform(session, Action(act), application, who, "".join(words), office=office)


def _moments(ago: int) -> Iterator[datetime]:
    """Working moments from `ago` days back: a demonstration has a past, which its acts are told by the clock."""
    moment, pause = clock.now().replace(hour=9, minute=12) - timedelta(days=ago), timedelta(minutes=47)
    while True:
        yield min(moment - timedelta(days=max(0, moment.weekday() - 4)), clock.now())
        moment, pause = moment + pause, timedelta(days=3, minutes=53)


def _at(moment: datetime) -> Any:
    return patch.object(clock, "now", lambda: moment)


def _draft(session: Session, case: Told, by: Account) -> Application:
    application = filing.start(session, by)
    with filing.revising(session, application, application.version, by):
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
    told: Told = {field: value or None for field, value in zip(CARRIER, row, strict=True)}
    amounts = {field: Decimal(told[field]) for field in ("quantity", "unit_price")}
    return Carrier(**told | amounts | {"name": name or told["name"]})


def _attach(
    session: Session,
    application: Application,
    kinds: list[AttachmentKind],
    by: Account,
    store: Store,
    limit: int,
) -> None:
    """One paper of each kind; it takes the place of the one before."""
    now = {file.kind: file.id for file in application.current_attachments}
    for kind, paper in zip(kinds, _papers(application, kinds), strict=True):
        name = f"{kind.label}.pdf"
        uploads.attach(session, application, kind, io.BytesIO(paper), name, by, store, limit, now.get(kind))


def _papers(application: Application, kinds: list[AttachmentKind]) -> Iterator[bytes]:
    """A page each, with what the case says: set at once, then parted, for setting is what takes time."""
    from weasyprint import HTML  # only here, for it takes a second to load

    columns = Application.__table__.columns
    facts = "".join(f"<p>{columns[name].info['label']}：{escape(shown(application, name))}</p>" for name in ON_PAPER)
    pages = "".join(f"<section><h1>{kind.label}</h1>{facts}</section>" for kind in kinds)
    with pikepdf.open(io.BytesIO(HTML(string=f"<style>{LOOK}</style>{pages}").write_pdf())) as whole:
        for page in whole.pages:
            paper, out = pikepdf.new(), io.BytesIO()
            paper.pages.append(page)
            paper.save(out)
            yield out.getvalue()
