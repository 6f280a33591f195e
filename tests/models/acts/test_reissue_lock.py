"""重新申请 inspects files without holding a lock."""

from pathlib import Path

import pytest
from flask import Flask

from models.acts import reissue
from models.application import Application, attachments
from models.database import db
from tests.conftest import ActAs, MakeApplication
from views.resources import store


@pytest.mark.slow
def test_no_file_is_inspected_while_a_lock_is_held(
    app: Flask, act_as: ActAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found in attack: 24 PDFs of 2 KB that take 3 s each held SQLite's only writer, or the serial row, for 76 s."""
    key, statements, inspect = make_application(status="revoked"), list[str](), attachments.kind_of
    written: list[bool] = []

    def kind_of(path: Path, name: str, owner: int | None = None) -> str:
        written.append(any(not words.lstrip().upper().startswith(("SELECT", "BEGIN")) for words in statements))
        return inspect(path, name, owner)

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    from sqlalchemy import event

    monkeypatch.setattr(attachments, "kind_of", kind_of)
    with act_as("publisher") as account:
        row = db.session.get_one(Application, key)
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            reissue.copy(db.session(), row, account, store())
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    assert not any(written)
