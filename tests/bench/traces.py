"""What people leave beside applications: entries of the logs, 消息, sessions; as many as in a register of that size."""

import random
import secrets
from datetime import timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import String, case, cast, insert, literal, null, select
from sqlalchemy.orm import Session

from models import clock
from models.application import Application
from models.application.trail import TrailEntry
from models.log import LOG_OF, LOGS, Handout, LogEntry, SignIn
from models.notifications import Notification
from models.notifications.events import RULES
from models.people.accounts import Account
from models.people.sessions import Visit
from models.vocabulary import Role, Word
from tests.bench import load
from tests.bench.cases import PAST
from tests.bench.invented import Row

AT_ONCE = 2000
OFTEN = {  # how much more often than the other kinds of entries
    SignIn.SIGNED_IN: 300, SignIn.SIGNED_OUT: 150, SignIn.WRONG_PASSWORD: 20,
    Handout.PAPER: 100, Handout.FILE_SHOWN: 150, Handout.FILE_SAVED: 30, Handout.EXPORT: 10, Handout.EXPORT_ENDED: 10,
}  # fmt: skip
NAMED = 5000  # applications that are named in the logs
READ_AFTER = timedelta(days=60)  # older messages are read
IN_USE = 300  # sessions at a time


def fill(session: Session, applications: int) -> None:
    """Insert the traces of so many applications, which exist already; commits."""
    fill_logs(session, 2 * applications)
    fill_messages(session)
    fill_visits(session, max(IN_USE, applications // 20))


def fill_logs(session: Session, wanted: int) -> None:
    """Insert `wanted` log entries over the last years, by all accounts in turn; commits."""
    chance, now = random.Random(wanted), clock.now()
    people = session.execute(select(Account.id, Account.username, Account.name)).all()
    numbers = session.scalars(select(Application.number).order_by(Application.id.desc()).limit(NAMED)).all()
    kinds: list[Word] = [word for words in LOGS.values() for word in words]
    weights = list(accumulate(OFTEN.get(kind, 1) for kind in kinds))  # type: ignore[call-overload]
    for first in range(0, wanted, AT_ONCE):
        rows = []
        for place in range(first, min(first + AT_ONCE, wanted)):
            kind = kinds[place] if place < len(kinds) else chance.choices(kinds, cum_weights=weights)[0]
            moment, person = now - PAST * (1 - place / wanted), chance.choice(people)
            rows.append(_entry(chance, kind, person) | {"at": moment, "about": chance.choice(numbers)})
        load.put(session, LogEntry, rows)
    session.commit()


def _entry(chance: random.Random, kind: Word, person: Any) -> Row:
    row: Row = {"account_id": person.id, "username": person.username, "name": person.name, "words": "", "amount": None}
    row |= {"kind": kind.value, "log": LOG_OF[kind.value], "program": "Chrome 130 · Windows"}
    return row | {"address": f"10.0.{chance.randrange(99)}.{chance.randrange(99)}"}


def fill_messages(session: Session) -> None:
    """Insert the messages that the acts in the trail have sent, to those whom RULES names; commits."""
    concerned = {
        Role.PUBLISHER: Account.organisation_id == Application.applicant_id,
        Role.REVIEWER: Account.province == Application.province,
    }
    load.allow_long_statement(session)
    read = case((TrailEntry.at < clock.now() - READ_AFTER, TrailEntry.at), else_=null())
    key = literal("trail-") + cast(TrailEntry.id, String)
    columns = {"account_id": Account.id, "event": TrailEntry.act, "key": key, "at": TrailEntry.at, "read_at": read,
               "application_id": TrailEntry.application_id}  # fmt: skip
    for role, condition in concerned.items():
        events = [event.value for event, rule in RULES.items() if role in rule.to]
        found = select(*columns.values()).select_from(TrailEntry.__table__.join(Application.__table__))
        found = found.join(Account, (Account.role == role) & condition).where(TrailEntry.act.in_(events))
        session.connection().execute(insert(Notification).from_select(list(columns), found.order_by(TrailEntry.id)))
    session.commit()


def fill_visits(session: Session, wanted: int) -> None:
    """Insert `wanted` sessions over the last years, of which the newest are in use; commits."""
    chance, now = random.Random(wanted), clock.now()
    accounts = session.scalars(select(Account.id)).all()
    for first in range(0, wanted, AT_ONCE):
        rows = []
        for place in range(first, min(first + AT_ONCE, wanted)):
            ended = place < wanted - IN_USE
            seen = now - (PAST * (1 - place / wanted) if ended else timedelta(seconds=chance.randrange(900)))
            row: Row = {"token_hash": secrets.token_hex(32), "account_id": chance.choice(accounts), "seen_at": seen}
            row |= {"began_at": seen - timedelta(minutes=chance.randrange(5, 60)), "ended_at": seen if ended else None}
            rows.append(row | {"address": f"10.0.{chance.randrange(99)}.1", "program": "Chrome 130 · Windows"})
        load.put(session, Visit, rows)
    session.commit()
