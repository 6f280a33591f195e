"""Synthetic applications for measuring: `python -m tests.bench.bulk N`, into the database of the settings.

The rows are those that the acts would have left. Triggers, search index and indexes that are not unique are dropped
meanwhile; hence no command does this. Broken off, it leaves them missing.
"""

import hashlib
import json
import random
import sys
from collections import Counter
from datetime import datetime
from time import monotonic
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Index, Insert, bindparam, insert, select, update
from sqlalchemy.orm import Session

from app import create_app
from models import access, clock, deadlines, numbering, workflow
from models.application import Application
from models.application.carriers import Carrier
from models.application.trail import NOTHING_BEFORE, TrailEntry
from models.certificate import Certificate
from models.columns import granted
from models.customs import CustomsMessage
from models.database import search, triggers
from models.log import LOG_OF, LOGS, LogEntry
from models.people.accounts import Account
from models.signing.check_code import new_typed_code
from models.vocabulary import Action, Step, Word
from tests.bench.cases import PAST, RULES, Case, begun_at, new_case
from tests.bench.invented import Row, scenes, works

AT_ONCE = 2000


def fill(session: Session, wanted: int) -> int:
    """Put in `wanted` applications over the last years, oldest first; commits, and tells the rows written."""
    chance, now = random.Random(wanted), clock.now().replace(microsecond=0)
    stage, goods, rows = scenes(session, wanted), works(chance, 300), 0
    weights = [1 / place for place in range(3, len(stage) + 3)]
    indexes = _drop_indexes(session.connection()) if wanted > AT_ONCE else []
    session.commit()
    for first in range(0, wanted, AT_ONCE):
        places = range(first, min(first + AT_ONCE, wanted))
        played = zip(places, chance.choices(stage, weights, k=len(places)), strict=True)
        begun = [(begun_at(now, (place + chance.random()) / wanted), scene) for place, scene in played]
        rows += _put(session, [new_case(chance, scene, chance.choice(goods), day, now) for day, scene in begun])
        session.commit()
    for index in indexes:
        index.create(session.connection())
    search.install(session.connection())
    deadlines.recompute(session)
    if session.get_bind().dialect.name == "postgresql":  # which does so by itself in time; nothing does on SQLite
        session.connection().exec_driver_sql("ANALYZE")
    session.commit()
    return rows


def fill_logs(session: Session, wanted: int) -> None:
    """Put `wanted` entries into the logs over the last years, by all accounts in turn; commits."""
    chance, now = random.Random(wanted), clock.now()
    people = session.execute(select(Account.id, Account.username, Account.name)).all()
    kinds = [word for words in LOGS.values() for word in words]
    for first in range(0, wanted, AT_ONCE):
        rows = []
        for place in range(first, min(first + AT_ONCE, wanted)):
            kind, person = chance.choice(kinds), chance.choice(people)
            row = {"account_id": person.id, "username": person.username, "name": person.name, "words": ""}
            row |= {"at": now - PAST * (1 - place / wanted), "kind": kind.value, "log": LOG_OF[kind.value]}
            row |= {"address": f"10.0.{chance.randrange(99)}.{chance.randrange(99)}", "program": "Chrome 130 · Windows"}
            rows.append(row | {"about": f"SQ2026{chance.randrange(10**8):08}", "amount": None})
        session.execute(_into(LogEntry), rows)
    session.commit()


def _drop_indexes(connection: Connection) -> list[Index]:
    """Drop the search index and every index that a load into the tables here would have to keep up; the latter."""
    search.remove(connection, everything=True)
    tables = [model.__table__ for model in (Application, Carrier, Certificate, TrailEntry, CustomsMessage)]
    indexes = [index for table in tables for index in table.indexes if not index.unique]
    for index in indexes:
        index.drop(connection)
    return sorted(indexes, key=lambda index: str(index.name))


def _put(session: Session, cases: list[Case]) -> int:
    """One batch: numbers are reserved, rows go in parents first, entries of the trail in the order of the acts."""
    years = [(numbering.APPLICATIONS, case.row["created_at"].year) for case in cases]
    for case, number in zip(cases, _numbers(session, years), strict=True):
        case.row["number"] = number
    triggers.remove(session.connection())  # rows come with the status they ended in, in the reservation's transaction
    ids = _insert_numbered(session, Application, [case.row for case in cases])
    for case in cases:
        case.id = ids[case.row["number"]]
    certificates = _certificates(session, cases)
    sealed = _insert_numbered(session, Certificate, certificates)
    numbers = {row["application_id"]: row["number"] for row in certificates}
    carriers = [carrier | {"application_id": case.id} for case in cases for carrier in case.work.carriers]
    trail = [entry for case in cases for entry in _trail(case)]
    messages = [row for case in cases if case.id in numbers for row in _messages(case, numbers[case.id], sealed)]
    for model, rows in ((Carrier, carriers), (TrailEntry, trail), (CustomsMessage, messages)):
        if rows:
            session.execute(_into(model), rows)
    newest = {entry["application_id"]: entry["seal"] for entry in trail}
    seals = [{"key": key, "newest": seal} for key, seal in newest.items()]
    row = Application.__table__.c
    session.connection().execute(
        update(Application.__table__).where(row.id == bindparam("key")).values(last_seal=bindparam("newest")), seals
    )
    triggers.install(session.connection())
    return sum(len(rows) for rows in (cases, certificates, carriers, trail, messages))


def _into(model: Any) -> Insert:
    return insert(model.__table__)


def _insert_numbered(session: Session, model: Any, rows: list[Row]) -> dict[str, int]:
    """Rows in; the id that each number got."""
    statement = _into(model).returning(model.number, model.id)
    return dict(session.execute(statement, rows).all()) if rows else {}


def _numbers(session: Session, wanted: list[tuple[str, int]]) -> list[str]:
    """A number of each series and year asked for; the series are always locked in the same order."""
    last = {key: numbering.reserve(session, *key, count) - count for key, count in sorted(Counter(wanted).items())}
    numbers = []
    for key in wanted:
        last[key] += 1
        numbers.append(numbering.format_number(*key, last[key]))
    return numbers


def _certificates(session: Session, cases: list[Case]) -> list[Row]:
    decided = [(case, moment.date()) for case in cases if (moment := case.moment(Action.GRANT))]
    series = [(numbering.certificate_series(case.row["province"]), day.year) for case, day in decided]
    rows = []
    for (case, day), number in zip(decided, _numbers(session, series), strict=True):
        own = {name: case.row[name] for name in granted(Application) if name in case.row.keys() - case.work.row}
        own = {name: str(getattr(value, "label", value)) for name, value in own.items()}
        content = json.dumps(case.work.texts | own, ensure_ascii=False, sort_keys=True)
        rows.append(
            {
                "application_id": case.id,
                "number": number,
                "issued_on": day,
                "authority": case.row["authority"],
                "signer": case.scene.reviewer.name,
                "check_code": new_typed_code(),
                "content": content,
                "digest": hashlib.sha256(content.encode()).hexdigest(),
            }
        )
    return rows


def _trail(case: Case) -> list[Row]:
    rows: list[Row] = []
    for act, moment, before, after in case.steps:
        who, name = case.actor(act)
        entry: Any = SimpleNamespace(
            application_id=case.id,
            at=moment,
            actor_id=who and who.id,
            actor_name=name,
            role=who and who.role,
            act=act.value,
            before=before,
            after=after,
            opinion="材料需要核对，请补正。" if act in RULES and RULES[act].opinion else None,
            changes={"title": [None, case.row["title"]]} if act is Action.EDIT else None,
            digest=None,  # as the entries before digests were kept
            previous=rows[-1]["seal"] if rows else NOTHING_BEFORE,
        )
        entry.seal = hashlib.sha256(TrailEntry.content(entry).encode()).hexdigest()
        rows.append(vars(entry))
    return rows


def _messages(case: Case, number: str, sealed: dict[str, int]) -> list[Row]:
    """What the outbox was told: every act of a person that moved an issued application."""
    return [
        {
            "application_id": case.id,
            "certificate_id": sealed[number],
            "desk": case.row["province"],
            "message_id": f"{number}-{version}",
            "act": act,
            "queued_at": moment,
            **_receipt(act, moment, case.steps[version:]),
        }
        for version, (act, moment, _before, after) in enumerate(case.steps, start=1)
        if after in workflow.ISSUED and act in workflow.ACTS and RULES[act].to is not None
    ]


def _receipt(act: Word, moment: datetime, later: list[Any]) -> Row:
    """What customs answered: what the case tells of a grant or resending; a revocation is always taken."""
    replies = ((step, at) for step, at, *_states in later if step in workflow.RECEIPTS)
    reply, at = (act, moment) if act is Action.REVOKE else next(replies, (None, None))
    return {"answered_at": at, "accepted": None if reply is None else reply is not Step.CUSTOMS_REJECTED}


def main(wanted: int) -> None:
    with create_app().app_context(), access.everything() as session:
        began = monotonic()
        rows = fill(session, wanted)
        print(f"{wanted} applications, {rows} rows, {rows / max(monotonic() - began, 0.001):.0f} rows a second")


if __name__ == "__main__":
    main(int(sys.argv[1]))
