"""Steps 0045 (known viruses), 0046 (algorithm of a seal) and 0053 (seals of the log), on a register."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, select, text

from models import access
from models.application import trail
from models.application.attachments import Attachment
from models.application.known_viruses import KnownVirus
from models.application.scanning import NO_VIRUS
from models.application.trail import GENESIS, TrailEntry
from models.database import db
from models.integrity import scans
from models.log import LogEntry, Operation, chain
from models.vocabulary import Role, Status, Step
from tests.former import add_row, tables_with_an_organisation

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = AT + timedelta(days=30)
VIRUS = "Eicar-Test-Signature"
FILES: list[tuple[str, datetime | None, str | None]] = [  # digest, scanned at, virus
    ("a" * 64, AT, None),  # clean, scanned at its upload
    ("b" * 64, LATER, None),  # clean, scanned later
    ("c" * 64, LATER, VIRUS),
    ("c" * 64, AT, None),  # the same content, in which nothing was found before
    ("c" * 64, None, None),
    ("d" * 64, None, None),  # never scanned
]


def insert_register(connection: Connection) -> list[str]:
    """One draft with files, two trail entries and a log entry, as release 0044 wrote them; the seals."""
    names = ("account", "application", "attachment", "trail_entry", "log_entry")
    accounts, applications, files, entries, log = tables_with_an_organisation(connection, *names)
    add = partial(add_row, connection)
    add(accounts, id=1, role="operator")
    add(applications, id=1, number="1", status="draft")
    for key, (digest, scanned_at, virus) in enumerate(FILES, start=1):
        marks = {"scanned_at": scanned_at, "virus": virus}
        add(files, id=key, application_id=1, kind="sample", digest=digest, uploaded_at=AT, **marks)
    sealed = sealed_entries()
    for entry in sealed:
        add(entries, **entry)
    add(log, at=AT, log="operations", kind=Operation.BACKED_UP.value)
    return [entry["seal"] for entry in sealed]


def sealed_entries() -> list[dict[str, Any]]:
    """Two trail entries with the seals of 0044: SHA-256, over the values without an algorithm."""
    sealed: list[dict[str, Any]] = []
    for key, digest in ((1, None), (2, "e" * 64)):
        values = {"id": key, "application_id": 1, "at": AT, "actor_name": "某人", "digest": digest}
        values |= {"previous": sealed[-1]["seal"] if sealed else GENESIS}
        words = {"role": Role.PUBLISHER, "act": Step.START.value, "before": None, "after": Status.DRAFT}
        seal = TrailEntry(**values, **words).sealed()
        sealed.append(values | words | {"seal": seal, "role": "publisher", "after": "draft"})
    return sealed


def test_old_files_seals_and_logs_verify_after_the_steps(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade(revision="0044")
        with db.engine.begin() as connection:
            seals = insert_register(connection)
        upgrade()
        with access.everything() as session:
            entries = session.scalars(select(TrailEntry).order_by(TrailEntry.id)).all()
            assert [(entry.seal, entry.algorithm) for entry in entries] == [(seal, None) for seal in seals]
            assert list(trail.broken(session)) == []
            marks = session.execute(select(Attachment.digest, Attachment.virus).order_by(Attachment.id)).all()
            assert [tuple(row) for row in marks] == [
                (digest, VIRUS if digest == "c" * 64 else None) for digest, *_before in FILES
            ]
            assert session.scalars(select(Attachment.id).where(Attachment.scanned_at.is_(None))).all() == [6]
            known = session.execute(select(KnownVirus.digest, KnownVirus.virus, KnownVirus.found_at)).all()
            assert [tuple(row) for row in known] == [("c" * 64, VIRUS, LATER)]
            log = session.execute(select(LogEntry.kind, LogEntry.about, LogEntry.words).order_by(LogEntry.id)).all()
            assert [tuple(row) for row in log[1:]] == [
                (Operation.FILE_SCANNED.value, "b" * 64, NO_VIRUS),
                (Operation.FILE_SCANNED.value, "c" * 64, VIRUS),
            ]
            assert log[0].kind == Operation.BACKED_UP.value
            assert list(scans.contradictions(session)) == []
            chain.seal_all(session)
            assert (chain.count_unsealed(session), list(chain.contradictions(session))) == (0, [])


def test_the_steps_can_be_undone_with_rows(empty_app: Flask) -> None:
    """Down and up again: the seals are the same, and each content is once among the known viruses."""
    with empty_app.app_context():
        upgrade(revision="0044")
        with db.engine.begin() as connection:
            seals = insert_register(connection)
        upgrade()
        downgrade(revision="0044")
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT seal FROM trail_entry ORDER BY id")).scalars().all() == seals
        upgrade()
        with access.everything() as session:
            assert session.scalars(select(KnownVirus.digest)).all() == ["c" * 64]
            assert list(trail.broken(session)) == []
            assert list(scans.contradictions(session)) == []
