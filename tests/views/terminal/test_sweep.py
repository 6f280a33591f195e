"""`sweep` deletes unreferenced files, and no file with a row."""

import os
import time
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from models import access, backup, clock, log
from models.application.attachments import Store
from models.database import db
from models.people.sessions import Visit
from models.people.signin_failures import SigninFailure
from models.people.spent_challenges import SpentChallenge
from tests.conftest import MakeApplication
from tests.stores import grow_old
from tests.views.terminal.commands import everything_in, run_command


def test_sweep_deletes_old_orphans_and_no_file_with_a_row(
    app: Flask, address: str, make_application: MakeApplication
) -> None:
    app.config["STORE"], store = address, Store(address)
    make_application(status="pending")
    _rows, files = everything_in(app)
    old, young = store.put_bytes(b"old"), store.put_bytes(b"young")
    for digest in files | {old}:
        grow_old(address, digest)
    answer = run_command(app, "sweep")
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[-2:] == ["无主文件：清理 1 项。", "未传完的文件：清理 0 项。"]
    assert everything_in(app)[1] == files | {young}


def test_sweep_deletes_old_interrupted_uploads(app: Flask) -> None:
    """In a folder these are next to the stored files."""
    Path(app.config["STORE"]).mkdir()
    arriving, dead = (Store(app.config["STORE"]).place.folder / f"incoming-{age}" for age in ("young", "old"))
    arriving.touch()
    dead.touch()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(dead, (long_ago, long_ago))
    answer = run_command(app, "sweep")
    assert answer.output.splitlines()[-2:] == ["无主文件：清理 0 项。", "未传完的文件：清理 1 项。"]
    assert (arriving.exists(), dead.exists()) == (True, False)


def test_a_sweep_that_fails_half_way_logs_what_it_has_deleted(app: Flask) -> None:
    """A folder with the name of a file cannot be deleted like one."""
    app_store = Store(app.config["STORE"])
    old, stuck = app_store.put_bytes(b"old"), "f" * 64
    (Path(app.config["STORE"]) / "ff" / stuck).mkdir(parents=True)
    for digest in (old, stuck):
        grow_old(app.config["STORE"], digest)
    answer = run_command(app, "sweep")
    assert answer.exit_code == 1 and old < stuck and old not in app_store.digests()
    assert "无主文件：清理 1 项。" in answer.output and "清理没有完成。" in answer.output
    with app.app_context(), access.everything() as session:
        entry = log.newest(session, log.Operation.SWEPT)
        assert entry is not None and "无主文件 1；" in entry.words and entry.words.endswith("清理没有完成。")


NAMELESS = {
    "notification.key",
    "calendar_feed.token_hash",
    "api_key.token_hash",
    "account.username",
    "log_entry.username",
    "log_entry.about",
    "log_seal.seal",
    "account.former_username",
    "application.last_seal",
    "known_virus.digest",
    "portal_visit.handle_hash",
    "portal_visit.subject_hash",
    "portal_visit.session_hash",
    "card_certificate.issuer_hash",
    "card_certificate.serial",
    "certificate_use.reference",
    "certificate.digest",  # of its content, which lies in the row
    "customs_message.message_id",
    "customs_receipt.digest",  # of bytes that lie in the row
    "recovery_code.code_hash",
    "signin_failure.name_hash",
    "signin_failure.place_hash",
    "spent_challenge.nonce",
    "trail_entry.digest",
    "trail_entry.previous",
    "trail_entry.seal",
    "visit.browser_hash",
    "visit.token_hash",
}


def test_backup_and_sweep_know_every_column_that_refers_to_a_file() -> None:
    """A new column as long as a SHA-256 is listed here or there: otherwise a sweep would delete its files."""
    long_enough = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if getattr(column.type, "length", None) == 64
    }
    assert long_enough - NAMELESS == {str(digest.property.columns[0]) for digest, _name in backup.FILE_COLUMNS}


def test_sweep_deletes_used_challenges_and_visits_older_than_half_a_year(app: Flask) -> None:
    now = clock.now()
    ages = {"just now": timedelta(), "last week": timedelta(days=7), "last year": timedelta(days=365)}
    with app.app_context(), access.everything() as session:
        for name, age in ages.items():
            moment = now - age
            session.add(SpentChallenge(nonce=name, spent_at=moment))
            session.add(SigninFailure(name_hash=name, place_hash="", address="", at=moment))
            session.add(Visit(token_hash=name, account_id=1, began_at=moment, seen_at=moment, ended_at=moment))
        session.add(Visit(token_hash="left open", account_id=1, began_at=now - ages["last year"], seen_at=now))
        session.commit()
    assert run_command(app, "sweep").exit_code == 0
    with app.app_context(), access.everything() as session:
        assert set(session.scalars(select(SpentChallenge.nonce))) == {"just now"}
        assert set(session.scalars(select(SigninFailure.name_hash))) == {"just now", "last week"}
        assert set(session.scalars(select(Visit.token_hash))) == {"just now", "last week", "left open"}
