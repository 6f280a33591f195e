"""Synthetic applications for measuring: `python -m tests.bench.bulk N`, into the database of the settings.

The rows are those that the acts would have written; all attachments are one file in the store. load.py drops triggers,
foreign keys and indexes meanwhile.
"""

import hashlib
import random
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from itertools import accumulate, count
from time import monotonic
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import create_app
from models import access, clock, deadlines, numbering, workflow
from models.application import Application
from models.application.attachments import Attachment, Stored
from models.application.carriers import Carrier
from models.application.trail import GENESIS, TrailEntry
from models.certificate import Certificate
from models.columns import granted
from models.customs import CustomsMessage
from models.database import db
from models.signing.typed_code import new_typed_code
from models.statistics import folding
from models.vocabulary import ALWAYS_REQUIRED, Action, Step, Word
from tests.bench import load
from tests.bench.cases import RULES, Case, begun_at, new_case
from tests.bench.invented import Row, scenes, works
from tests.cast import small_pdf
from views.resources import store

AT_ONCE = 2000
KINDS: list[Row] = [{"kind": kind, "name": f"{kind.value}.pdf"} for kind in sorted(ALWAYS_REQUIRED)]


def fill(
    session: Session, wanted: int, file: Stored | None = None, report: Callable[[int], None] = lambda _: None
) -> int:
    """Insert `wanted` applications over the last years, oldest first; commits, and reports the rows written.

    `file`: the one that all attachments refer to, already in the store; None: no attachments, also after 申报.
    `report` is called after each batch with the number of applications inserted so far.
    """
    chance, now = random.Random(wanted), clock.now().replace(microsecond=0)
    stage, goods, rows = scenes(session, wanted), works(session, chance, 300), 0
    weights = list(accumulate(1 / place for place in range(3, len(stage) + 3)))
    with load.unguarded(session, whole=wanted > AT_ONCE):
        for first in range(0, wanted, AT_ONCE):
            places = range(first, min(first + AT_ONCE, wanted))
            played = zip(places, chance.choices(stage, cum_weights=weights, k=len(places)), strict=True)
            begun = [(begun_at(now, (place + chance.random()) / wanted), scene) for place, scene in played]
            rows += _put(
                session, [new_case(chance, scene, chance.choice(goods), day, now) for day, scene in begun], file
            )
            session.commit()
            report(places.stop)
    deadlines.recompute(session)
    load.allow_long_statement(session)
    folding.rebuild(session)
    if session.get_bind().dialect.name == "postgresql":  # which does so by itself in time; nothing does on SQLite
        session.connection().exec_driver_sql("ANALYZE")
    session.commit()
    return rows


def vacuum(engine: Engine) -> None:
    """What PostgreSQL does by itself in time: until then a count from an index reads each row, too, and plans are bad.

    For after the session has ended: what an open transaction may still see is left as it is.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _put(session: Session, cases: list[Case], file: Stored | None) -> int:
    """Insert one batch with ids and numbers assigned here, trail entries in the order of acts; the number of rows."""
    load.skip_fsync(session)
    numbers = _numbers(session, [(numbering.APPLICATIONS, case.row["created_at"].year) for case in cases])
    for case, number, key in zip(cases, numbers, count(load.next_key(session, Application)), strict=False):
        case.id, case.row["id"], case.row["number"] = key, key, number
    certificates = _certificates(session, cases)
    sealed = {row["application_id"]: row for row in certificates}
    trail = [entry for case in cases for entry in _trail(case)]
    for entry, key in zip(trail, count(load.next_key(session, TrailEntry)), strict=False):
        entry["id"] = key
    newest = {entry["application_id"]: {"last_seal": entry["seal"], "last_change": entry["id"]} for entry in trail}
    rows: dict[Any, list[Row]] = {
        Application: [case.row | newest[case.id] for case in cases],
        Carrier: [carrier | {"application_id": case.id} for case in cases for carrier in case.work.carriers],
        Attachment: [row for case in cases if file for row in _attachments(case, file)],
        Certificate: certificates,
        TrailEntry: trail,
        CustomsMessage: [row for case in cases if case.id in sealed for row in _messages(case, sealed[case.id])],
    }
    return sum(load.put(session, model, found) for model, found in rows.items())


def _numbers(session: Session, wanted: list[tuple[str, int]]) -> list[str]:
    """A number for each (series, year); series are locked in sorted order, so that two loads cannot deadlock."""
    last = {key: numbering.reserve(session, *key, count) - count for key, count in sorted(Counter(wanted).items())}
    numbers = []
    for key in wanted:
        last[key] += 1
        numbers.append(numbering.format_number(*key, last[key]))
    return numbers


def _certificates(session: Session, cases: list[Case]) -> list[Row]:
    decided = [(case, moment.date()) for case in cases if (moment := case.moment(Action.GRANT))]
    series = [(numbering.certificate_series(case.row["province"]), day.year) for case, day in decided]
    texts = [name for name in granted(Application) if name in cases[0].row.keys() - cases[0].work.row]
    rows = []
    keys = count(load.next_key(session, Certificate))
    for (case, day), number, key in zip(decided, _numbers(session, series), keys, strict=False):
        own = {name: str(getattr(value := case.row[name], "label", value)) for name in texts}
        content = case.work.frozen_with(own)
        rows.append(
            {
                "id": key,
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
            digest=None,  # as the entries before digests were stored
            algorithm=None,
            previous=rows[-1]["seal"] if rows else GENESIS,
        )
        entry.seal = hashlib.sha256(TrailEntry.content(entry).encode()).hexdigest()
        rows.append(vars(entry))
    return rows


def _attachments(case: Case, file: Stored) -> Iterator[Row]:
    """The files that 申报 requires, uploaded when the draft was created."""
    if case.moment(Action.SUBMIT):
        row = {"application_id": case.id, "uploaded_at": case.row["created_at"], "uploaded_by": case.scene.filer.id}
        row |= {"media_type": file.media_type, "size": file.size, "digest": file.digest}
        yield from (row | kind for kind in KINDS)


def _messages(case: Case, certificate: Row) -> list[Row]:
    """Rows of the outbox: one for each act of a person on an issued application."""
    return [
        {
            "application_id": case.id,
            "certificate_id": certificate["id"],
            "desk": case.row["province"],
            "message_id": f"{certificate['number']}-{version}",
            "act": act,
            "queued_at": moment,
            "next_at": moment,
            **_receipt(act, moment, case.steps[version:]),
        }
        for version, (act, moment, _before, after) in enumerate(case.steps, start=1)
        if after in workflow.ISSUED and act in workflow.ACTS and RULES[act].to is not None
    ]


def _receipt(act: Word, moment: datetime, later: list[Any]) -> Row:
    """What customs answered: as the case prescribes for a grant or resending; a revocation is always accepted."""
    replies = ((step, at) for step, at, *_states in later if step in workflow.RECEIPTS)
    reply, at = (act, moment) if act is Action.REVOKE else next(replies, (None, None))
    return {"answered_at": at, "accepted": None if reply is None else reply is not Step.CUSTOMS_REJECTED}


def main(wanted: int) -> None:
    """Fill the database and the store of the settings; one line on how far it is, then one on how fast."""
    began = monotonic()

    def print_progress(done: int) -> None:
        speed = done / max(monotonic() - began, 0.001)
        print(f"\r{done:,} of {wanted:,} applications, {speed:,.0f} a second ", end="", file=sys.stderr, flush=True)

    with create_app().app_context():
        with access.everything() as session:
            file = store().put(BytesIO(small_pdf("bulk")), "bulk.pdf", 1 << 20)
            rows = fill(session, wanted, file, print_progress)
        vacuum(db.engine)
    took = max(monotonic() - began, 0.001)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\n{wanted:,} applications, {rows:,} rows, indexes and search in {took:.0f} s: {wanted / took:,.0f} a second,"
    )
    print(f"{rows / took:,.0f} rows a second; {memory:.0f} MB of memory at most")


if __name__ == "__main__":
    main(int(sys.argv[1]))
