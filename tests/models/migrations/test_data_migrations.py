"""Data migrations: every row from before is there afterwards, in its new form."""

from datetime import UTC, date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, insert, select, text

from models import clock
from models.application import Application
from models.application.sort_keys import sort_key
from models.database import db
from models.people.sessions import Visit
from models.vocabulary import Status
from tests.apps import without_triggers
from tests.former import add_row, tables_with_an_organisation, values_of
from views.resources import licence_codes

PEOPLE = [  # user name before, enabled, first password unused; user name after, and whether the former one is kept
    ("zhangsan", False, False, "zhangsan-5", True),  # disabled: gives way to whoever works
    ("ZhangSan", True, False, "zhangsan", False),
    ("ｚｈａｎｇｓａｎ", True, True, "zhangsan-4", True),  # never used: gives way too
    ("zhangsan\u200b", True, False, "zhangsan-3", True),
    ("zhangsan-2", True, False, "zhangsan-2", False),  # a real name, and no suffix of the migration
    ("Li Si", True, False, "li si", False),  # a blank inside: no new account may have one, an old one keeps it
    ("\u200b", True, False, "account-7", True),
    ("B" * 64, True, False, "b" * 64, False),
    ("b" * 64, True, False, "b" * 62 + "-2", True),
]


def insert_accounts(connection: Connection, people: list[Any]) -> None:
    """Insert accounts as they were before migration 0006."""
    add = text(
        "INSERT INTO account (id, username, name, role, password_hash, must_change, active, failures)"
        " VALUES (:id, :username, '某人', 'operator', 'x', :unused, :active, 0)"
    )
    for key, (username, active, unused, *_after) in enumerate(people, start=1):
        connection.execute(add, {"id": key, "username": username, "active": active, "unused": unused})


def test_user_names_with_the_same_normal_form_stay_distinct(
    empty_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    with empty_app.app_context():
        upgrade(revision="0004")
        with db.engine.begin() as connection:
            insert_accounts(connection, PEOPLE)
        upgrade()
        output = capsys.readouterr().out
        with db.engine.connect() as connection:
            rows = connection.execute(text("SELECT username, former_username FROM account ORDER BY id")).all()
    assert [row.username for row in rows] == [after for *_before, after, _marked in PEOPLE]
    for row, (before, *_others, after, marked) in zip(rows, PEOPLE, strict=True):
        assert row.former_username == (before if marked else None)
        assert (f"已改为“{after}”" in output) is marked
    assert "用户名“zhangsan<U+200B>”" in output


def test_existing_names_get_sort_keys_and_existing_statuses_their_order(empty_app: Flask) -> None:
    """Migration 0007, over more rows than one batch; up, down, and up again."""
    titles = ["重庆", "长江", None, *(f"第 {n} 辑" for n in range(6000))]
    with empty_app.app_context():
        upgrade(revision="0006")
        with db.engine.begin() as connection:
            (table,) = tables_with_an_organisation(connection, "application")
            same = values_of(table) | {"status": "draft"}
            rows = [
                same | {"id": key, "number": f"SQ{key}", "title": title, "publisher_name": title}
                for key, title in enumerate(titles, start=1)
            ]
            connection.execute(insert(table), rows)
        for _time in range(2):
            upgrade(revision="0007")
            with db.engine.connect() as connection:
                columns = "title, title_sort, publisher_sort, status_order FROM application ORDER BY id"
                found = connection.execute(text(f"SELECT {columns}")).all()
            wanted = [title and sort_key(title) for title in titles]
            assert [tuple(row) for row in found] == [
                (title, key, key, Status.DRAFT.order) for title, key in zip(titles, wanted, strict=True)
            ]
            downgrade(revision="0006")


def test_an_existing_replacement_is_linked_to_the_certificate_it_replaces(empty_app: Flask) -> None:
    """Step 0011: a replacement made earlier by 重新申请 prevents a second one."""
    with empty_app.app_context():
        upgrade(revision="0010")
        with db.engine.begin() as connection:
            table, papers = tables_with_an_organisation(connection, "application", "certificate")
            for key, replaces in ((1, None), (2, None), (3, 7)):
                add_row(connection, table, id=key, number=str(key), status="draft", replaces_id=replaces)
            add_row(connection, papers, id=7, application_id=2)
        upgrade(revision="0011")
        with db.engine.connect() as connection:
            found = connection.execute(text("SELECT copied_from FROM application ORDER BY id")).scalars().all()
    assert found == [None, None, 2]


def test_a_downgrade_deletes_letters_about_address_changes(empty_app: Flask) -> None:
    """Step 0036: the release before knows no such letter."""
    with empty_app.app_context():
        upgrade()
        with db.engine.begin() as connection:
            there = MetaData()
            there.reflect(connection, only=["account", "mail_letter"])
            accounts, letters = there.tables["account"], there.tables["mail_letter"]
            add_row(connection, accounts, id=1, role="operator")
            for key, more in ((1, {"purpose": "confirm", "recipient": "a@example.cn"}), (2, {"day": date(2026, 1, 1)})):
                add_row(connection, letters, id=key, account_id=1, **more)
        downgrade(revision="0035")
        upgrade()
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT id FROM mail_letter")).scalars().all() == [2]


def test_existing_certificates_keep_their_shown_identifier(empty_app: Flask) -> None:
    """Step 0043: of provinces whose authority has a code, with the settings of that day."""
    empty_app.config |= {"LICENCE_TYPE": "11100000000013338W999", "LICENCE_ISSUERS": {"320000": "11320000014000000X"}}
    with empty_app.app_context():
        upgrade(revision="0042")
        with db.engine.begin() as connection:
            table, papers = tables_with_an_organisation(connection, "application", "certificate")
            for key, number in enumerate(("Z32202600000153", "Z44202600000153"), start=1):
                add_row(connection, table, id=key, number=str(key), status="draft")
                add_row(connection, papers, id=key, application_id=key, number=number, replaces_id=key)
        upgrade()
        shown = licence_codes().identifier("Z32202600000153")
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT identifier FROM certificate ORDER BY id")).scalars().all() == [
                shown,
                None,
            ]
        assert str(shown).startswith("1.2.156.3005.2.")
        downgrade(revision="0042")


def test_withdrawn_submissions_no_longer_count(empty_app: Flask) -> None:
    """Step 0048: submitted, withdrawn and submitted again is one submission; returned and submitted again are two."""
    with empty_app.app_context():
        upgrade(revision="0047")
        with db.engine.begin() as connection, without_triggers(connection):
            table, trail = tables_with_an_organisation(connection, "application", "trail_entry")
            for key, between in enumerate(("withdraw", "return"), start=1):
                values = {"number": str(key), "status": "pending", "submissions": 2, "province": "320000"}
                add_row(connection, table, id=key, **values)
                for place, act in enumerate(("submit", between, "submit")):
                    entry = {"id": 3 * key + place, "act": act, "seal": f"{key}-{place}"}
                    add_row(connection, trail, application_id=key, **entry)
        counts = []
        for step in (upgrade, lambda: downgrade(revision="0047")):
            step()
            with db.engine.connect() as connection:
                counts.append(
                    list(connection.execute(text("SELECT submissions FROM application ORDER BY id")).scalars())
                )
        assert counts == [[1, 2], [2, 2]]


def test_existing_applications_get_the_totals_of_their_carriers(empty_app: Flask) -> None:
    """Step 0050: exact on both databases, nothing where a quantity is missing; nothing else of the row changes."""
    complete = [("010", "1000"), ("140", "0.1"), ("140", "0.20000")]
    quantities = {1: complete, 2: [("010", None)], 3: [("140", "3")], 4: []}
    with empty_app.app_context():
        upgrade(revision="0049")
        with db.engine.begin() as connection, without_triggers(connection):
            table, carriers = tables_with_an_organisation(connection, "application", "carrier")
            for key, rows in quantities.items():
                add_row(connection, table, id=key, number=str(key), status="filed", version=7)
                for unit, quantity in rows:
                    add_row(connection, carriers, application_id=key, unit=unit, quantity=quantity)
        upgrade()
        with db.engine.connect() as connection:
            found = connection.execute(
                select(Application.totals, Application.sheets, Application.version).order_by(Application.id)
            ).all()
    assert [tuple(row) for row in found] == [
        ({"010": "1000", "140": "0.3"}, 1000.0, 7), (None, None, 7), ({"140": "3"}, 0.0, 7), (None, None, 7),
    ]  # fmt: skip


def test_sessions_left_open_are_ended_a_day_after_their_last_request(empty_app: Flask) -> None:
    """Step 0054: without an entry of the log; the job then ends only those of today."""
    now = clock.now()
    seen = [now - timedelta(days=400), now - timedelta(hours=23), now - timedelta(days=2)]
    with empty_app.app_context():
        upgrade(revision="0053")
        with db.engine.begin() as connection:
            there = MetaData()
            there.reflect(connection, only=["account", "visit"])
            add_row(connection, there.tables["account"], id=1, role="operator")
            zone = UTC if connection.dialect.name == "postgresql" else None
            for key, at in enumerate(seen, start=1):
                moment = at.astimezone(UTC).replace(tzinfo=zone)
                ended = {"ended_at": moment} if key == 3 else {}
                times = {"began_at": moment, "seen_at": moment} | ended
                add_row(connection, there.tables["visit"], id=key, account_id=1, token_hash=f"{key}", **times)
        upgrade()
        with db.engine.connect() as connection:
            rows = connection.execute(select(Visit.seen_at, Visit.ended_at).order_by(Visit.id)).all()
            assert connection.execute(text("SELECT count(*) FROM log_entry")).scalar() == 0
    day, millisecond = timedelta(days=1), timedelta(milliseconds=1)
    assert rows[0].ended_at is not None and abs(rows[0].ended_at - rows[0].seen_at - day) <= millisecond
    assert (rows[1].ended_at, rows[2].ended_at) == (None, rows[2].seen_at)
