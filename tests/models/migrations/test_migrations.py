"""Migrations build what the models describe, and can be downgraded and upgraded again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, Table, column, insert, inspect, select, table, text

from app import create_app
from models import access
from models.application import Application
from models.codes import names_of
from models.database import computed_columns, db, migrate, publisher_names, search, triggers
from models.text import search_key
from models.vocabulary import Action
from tests import ROOT, former
from tests.cast import bring_on, draft, take
from tests.conftest import made
from views.demo import signing_keys


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database."""

    def on(address: str) -> Flask:
        return create_app(
            {
                "SQLALCHEMY_DATABASE_URI": address,
                "SECRET_KEY": "x",
                "STORE": str(tmp_path / "store"),
                "SIGNING_KEY": str(tmp_path / "keys"),
            }
        )

    if request.param == "sqlite":
        yield on(f"sqlite:///{tmp_path}/filing.sqlite")
        return
    with made(request.getfixturevalue("postgresql"), f"filing_steps_{id(request)}") as address:
        app = on(address)
        yield app
        with app.app_context():
            db.engine.dispose()


def _ours(name: str | None, _kind: str, _parents: Any) -> bool:
    return not (name or "").startswith(search.PREFIX)


def differences(connection: Connection) -> list[Any]:
    """What Alembic would still have to change."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _ours})
    return list(compare_metadata(context, db.metadata))


def test_the_steps_build_exactly_what_the_models_describe(blank: Flask) -> None:
    with blank.app_context():
        upgrade()
        with db.engine.connect() as connection:
            assert differences(connection) == []
            for each in db.metadata.sorted_tables:
                assert computed_columns.expressions(connection, each.name) == computed_columns.expected(
                    connection, each
                )
            assert computed_columns.expressions(connection, "application").keys() >= {"owner_id", "desk", "issued"}
        db.drop_all()
        db.create_all()
        with db.engine.connect() as connection:
            assert differences(connection) == []


def test_down_to_nothing_and_up_again(blank: Flask) -> None:
    """Without a downgrade there is no way back from a broken release."""
    with blank.app_context():
        upgrade()
        downgrade(revision="base")
        with db.engine.connect() as connection:
            assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
        upgrade()
        with db.engine.connect() as connection:
            assert differences(connection) == []
            known = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if db.engine.dialect.name == "postgresql":
                known = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
            searching = set(publisher_names.TRIGGERS)
            searching |= set(search.TRIGGERS) if db.engine.dialect.name == "sqlite" else set()
            assert (
                set(connection.execute(text(known)).scalars())
                == set(triggers.names(db.engine.dialect.name)) | searching
            )


def test_an_upgrade_that_has_been_made_may_be_repeated(blank: Flask) -> None:
    with blank.app_context():
        for _ in range(2):
            upgrade()
            with db.engine.connect() as connection:
                assert differences(connection) == []


def test_the_steps_are_one_line_and_sort_by_name() -> None:
    script = ScriptDirectory(str(migrate.directory))
    steps = [step.revision for step in script.walk_revisions()][::-1]
    assert len(script.get_heads()) == 1
    assert steps == sorted(steps)
    names = sorted(path.name for path in Path(migrate.directory, "versions").glob("*.py"))
    assert [name.split("_")[0] for name in names] == steps


def test_a_computed_column_whose_rule_has_changed_is_seen(blank: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the vocabulary without a migration fails the test above."""
    with blank.app_context():
        upgrade()
        monkeypatch.setattr(
            Application.__table__.c.issued.computed, "sqltext", text("CASE WHEN status = 'x' THEN 1 END")
        )
        with db.engine.connect() as connection:
            found = differences(connection)
    indexes = [index for index in Application.__table__.indexes if "issued" in index.columns]
    assert [change[0] for change in found] == [
        *["remove_index"] * len(indexes), "remove_column", "add_column", *["add_index"] * len(indexes)
    ]  # fmt: skip
    assert {change[3].name for change in found if change[0].endswith("_column")} == {"issued"}


def test_stored_columns_of_a_former_release_become_virtual_ones(blank: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite; rows, indexes and computed values stay. On PostgreSQL nothing changes."""
    with blank.app_context():
        columns = former.bring_to("0004", monkeypatch)
        with db.engine.connect() as connection:
            before = select(*map(column, columns)).select_from(table("application")).order_by(text("id"))
            rows = connection.execute(before).all()
            indexes = inspect(connection).get_indexes("application")
        upgrade(revision="0005")
        with db.engine.connect() as connection:
            assert connection.execute(before).all() == rows
            assert len(rows) == 3
            assert sorted(map(str, inspect(connection).get_indexes("application"))) == sorted(map(str, indexes))
            if blank.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
                hidden = connection.execute(text("SELECT hidden FROM pragma_table_xinfo('application')")).scalars()
                assert [kind for kind in hidden if kind] == [2, 2, 2]


LABELLED = '    REVOKED = "revoked", _l("已作废")'
RECIPE = {  # README: «A status», in a copy of the house
    "models/vocabulary.py": {
        LABELLED: LABELLED + '\n    SUSPENDED = "suspended", _l("已中止")',
        '    Status.REVOKED: "dark",': '    Status.REVOKED: "dark",\n    Status.SUSPENDED: "dark",',
    },
    "models/workflow/statuses.py": {
        "Status.CUSTOMS_FAILED, Status.REVOKED})": "Status.CUSTOMS_FAILED, Status.REVOKED, Status.SUSPENDED})",
        '    Status.REVOKED: (3, "error"),': '    Status.REVOKED: (3, "error"),\n    Status.SUSPENDED: (3, "error"),',
    },
}
SUSPEND = """
from sqlalchemy import select, text
from app import create_app
from models import access
from models.database import triggers
from models.people.accounts import Account
from models.application import Application
from models.text import search_key
from models.database import db
with create_app().app_context():
    with db.engine.begin() as connection:
        triggers.remove(connection)
        connection.execute(text("UPDATE application SET status = 'suspended'"))
        triggers.install(connection)
    access.enter(db.session.scalars(select(Account).where(Account.username == "national")).one())
    print("seen:", db.session.scalars(select(Application.status)).one())
"""


def copy_of_the_house(folder: Path, edits: dict[str, dict[str, str]]) -> Path:
    """The code as a developer has edited it: file → {words that stand there once: words in their place}."""
    house = folder / "house"
    for name in ("models", "views", "templates", "tests"):
        shutil.copytree(ROOT / name, house / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, house)
    for name, changes in edits.items():
        words = (house / name).read_text(encoding="utf-8")
        for before, after in changes.items():
            assert words.count(before) == 1, before
            words = words.replace(before, after)
        (house / name).write_text(words, encoding="utf-8")
    return house


def run_in(house: Path, app: Flask, *words: str) -> str:
    """What a program says in that copy, with the database and the store of `app`."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    outside |= {f"FILING_{name}": str(app.config[name]) for name in ("SQLALCHEMY_DATABASE_URI", "STORE", "SIGNING_KEY")}
    outside |= {"FILING_SECRET_KEY": "x", "PYTHONWARNINGS": "error::UserWarning"}
    done = subprocess.run(words, cwd=house, env=outside, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_status_makes_a_step_and_the_nation_sees_its_rows(
    blank: Flask, tmp_path: Path, a_pdf: Callable[[str], bytes]
) -> None:
    """The recipe of the README, in a copy of the code; the row existed before the migration."""
    with blank.app_context():
        upgrade()
        with access.everything() as session:
            bring_on(session)
    take(blank, Action.SUBMIT, draft(blank, "publisher", 1, {}, a_pdf), "publisher")
    with blank.app_context():
        db.engine.dispose()
    house = copy_of_the_house(tmp_path, RECIPE)
    run = partial(run_in, house, blank)
    program = Path(sys.executable).parent
    run("make", "-o", ".venv/requirements.txt", f"BIN={program}", "migration", "NAME=a status")
    last = max(int(path.name[:4]) for path in (ROOT / "models/migrations/versions").glob("0*.py"))
    step = house / f"models/migrations/versions/{last + 1:04}_a_status.py"
    assert "'suspended'" in step.read_text(encoding="utf-8")
    assert run(str(program / "flask"), "--app", "app", "upgrade") == "数据库结构已是最新。\n"
    assert run(sys.executable, "-c", SUSPEND) == "seen: suspended\n"
    run(str(program / "flask"), "--app", "app", "db", "check")
    run(str(program / "flask"), "--app", "app", "db", "downgrade")


FIELD = {  # README: «A field»
    "models/application/__init__.py": {
        "    port: Mapped[str | None] = mapped_column(": """    voltage: Mapped[str | None] = mapped_column(
        String(20), info=by_applicant(_l("电压"), required=True)
    )
    port: Mapped[str | None] = mapped_column(""",
    },
}
FILED = """
import io
import sys
import zipfile
from sqlalchemy import select
from app import create_app
from models import access
from models.certificate import Certificate
from models.customs import CustomsMessage, envelope
from models.customs.schema import message_xsd
from tests.cast import brought
from tests.conftest import signed_in
from models.acts.papers import code_of
from views.certificate import page
from views.resources import keys

app = create_app({"TESTING": True, "CAPTCHA": False})
draft, filed = brought(app), brought(app, status="filed", voltage="220 伏")
browser = signed_in(app, "publisher")
form = browser.get(f"/applications/edit/?id={draft}").text
assert 'name="voltage"' in form, "form"
browser.post("/applications/submit/", data={"id": draft})
missing = browser.post("/applications/submit/", data={"id": draft}, follow_redirects=True).text
assert "请填写电压。" in missing, "missing"
assert "220 伏" in browser.get(f"/applications/details/?id={filed}").text, "details"
assert "电压,".encode() in browser.get("/applications/export/csv/").data, "export"
with app.app_context(), access.everything() as session:
    certificate = session.scalars(select(Certificate)).one()
    assert certificate.snapshot["voltage"] == "220 伏", "certificate"
    assert "220 伏" in page(certificate, code_of(certificate, keys().signer("320000")), "印"), "paper"
    message = session.scalars(select(CustomsMessage)).one()
    assert "<voltage>220 伏</voltage>" in envelope.business_xml(message).decode(), "message"
    trail = [entry for entry in certificate.application.trail if "voltage" in (entry.changes or {})]
    assert trail, "history"
assert b'name="voltage" type="text20"' in message_xsd(), "schema"
print("everywhere")
"""


def test_a_new_field_has_one_place(blank: Flask, tmp_path: Path) -> None:
    """One file, one migration; it is in form, details, what is missing, history, export, paper and message."""
    with blank.app_context():
        upgrade()
        with access.everything() as session:
            bring_on(session)
        signing_keys.establish(Path(blank.config["SIGNING_KEY"]), names_of("province"))
        db.engine.dispose()
    house = copy_of_the_house(tmp_path, FIELD)
    run = partial(run_in, house, blank)
    run("make", "-o", ".venv/requirements.txt", f"BIN={Path(sys.executable).parent}", "migration", "NAME=a field")
    run(str(Path(sys.executable).parent / "flask"), "--app", "app", "upgrade")
    assert run(sys.executable, "-c", FILED) == "everywhere\n"


def test_search_keys_of_old_titles_lose_what_nobody_sees(blank: Flask) -> None:
    """Migration 0008, in batches; titles stay as typed, and keys without such characters stay."""
    titles = ["探戈\u200b精选", "葛\U000e0100城", "ＤＶＤ", *(f"第 {n} 辑" for n in range(6000)), None, "\u3164"]
    with blank.app_context():
        upgrade(revision="0004")
        with db.engine.begin() as connection:
            moment = datetime(2026, 1, 1)
            organisation = {"credit_code": "12320000466000101W", "name": "x", "trade": "agent", "province": "320000"}
            units = Table("organisation", MetaData(), autoload_with=connection)
            connection.execute(insert(units).values(id=1, active=True, **organisation))
            same = {"version": 3, "status": "draft", "applicant_id": 1, "applicant_name": "x", "applicant_code": "x"}
            same |= {"created_at": moment, "changed_at": moment}
            rows = [
                same | {"number": f"SQ{n:012d}", "title": title, "title_key": title and f"{title}".casefold()}
                for n, title in enumerate(titles)
            ]
            table = Table("application", MetaData(), autoload_with=connection)
            connection.execute(insert(table), rows)
        upgrade()
        with db.engine.connect() as connection:
            result = connection.execute(select(table.c.title, table.c.title_key, table.c.version).order_by(table.c.id))
            found = result.all()
        assert [row.title for row in found] == titles
        assert [row.title_key for row in found] == [title and search_key(title) for title in titles]
        assert {row.version for row in found} == {3}
