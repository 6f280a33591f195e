"""An application that was saved many times with many carriers: what a program reads of its 办理过程."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from models.acts import drafts
from models.application import Application, disclosure
from models.database import db
from tests.conftest import ActAs, MakeApplication
from tests.views.api.reading import LIST, program

SAVES = 6
ELSEWHERE = ["较新的改动已很多，这一条的改动请在办理过程中查看。"]


@pytest.fixture
def number(make_application: MakeApplication, act_as: ActAs) -> str:
    """Of an application whose ten carriers were each changed by every save."""
    key = make_application(carriers=10)
    with act_as("publisher") as filer:
        for save in range(SAVES):
            application = db.session.get_one(Application, key)
            with drafts.revising(db.session(), application, application.version, filer):
                for carrier in application.carriers:
                    carrier.specification = f"第 {save} 版"
            db.session.commit()
        return str(db.session.get_one(Application, key).number)


def test_only_the_newest_saves_are_explained_but_every_entry_is_listed(
    app: Flask, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time and memory of the others would grow with the number of saves."""
    reader = program(app, "publisher")
    whole = reader.get(f"{LIST}/{number}").get_json()["trail"]
    monkeypatch.setattr(disclosure, "MOST_ROWS", 30)
    statements: list[Any] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    with app.app_context():
        event.listen(engine := db.engine, "before_cursor_execute", note)
    bounded = reader.get(f"{LIST}/{number}").get_json()["trail"]
    event.remove(engine, "before_cursor_execute", note)
    assert bounded[:2] == whole[:2] and "“第 5 版”" in whole[0]["changes"][0]
    assert bounded[2:] == [entry | {"changes": entry["changes"] and ELSEWHERE} for entry in whole[2:]]
    assert len(whole) > SAVES and [] in [entry["changes"] for entry in bounded[2:]]
    older = [sql for sql in statements if "FROM trail_entry" in sql][-1]
    assert "trail_entry.opinion" in older
    assert older.count("trail_entry.changes") == older.count("length(CAST(trail_entry.changes") == 1, "only whether"
