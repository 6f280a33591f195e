"""A backup is read with distrust: manifest, parts, links and database."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect

from app import create_app
from models.backup import digest_of, restoring
from models.database import db
from models.workflow import Refused
from tests.views.terminal.commands import run_command

NAMES = st.sampled_from(
    ["database", "store/../../x", "/etc/passwd", "../x", "store/ab", "", ".", "manifest.json", "x\0y"]
)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | NAMES, inner, max_size=3),
    max_leaves=8,
)


MEMBERS = dict.fromkeys(("database", "schema", "parts", "store", "made_at"), JSON)


MANIFESTS = JSON | st.fixed_dictionaries({}, optional=MEMBERS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(manifest=MANIFESTS)
def test_any_invalid_manifest_is_refused_with_a_sentence(tmp_path: Path, manifest: Any) -> None:
    """Wrong types, missing members, names that lead out of the backup."""
    app = create_app({"SECRET_KEY": "x", "SQLALCHEMY_DATABASE_URI": "sqlite://", "STORE": str(tmp_path / "store")})
    source = tmp_path / "backup"
    source.mkdir(exist_ok=True)
    (source / "manifest.json").write_text(json.dumps(manifest))
    with app.test_request_context(), pytest.raises(Refused):
        restoring.verified_manifest(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup"]


BAD = {
    "an empty list": "[]",
    "an empty object": "{}",
    "null": "null",
    "cut off": '{"database": "sqlite", "parts": {',
    "no JSON": "\0\xff",
    "deep": "[" * 200_000,
    "bytes that are no UTF-8": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("text", BAD)
def test_an_unreadable_manifest_is_refused_and_changes_nothing(empty_app: Flask, backup: Path, text: str) -> None:
    manifest = BAD[text]
    (backup / "manifest.json").write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
    assert_refused(empty_app, backup)


def edit_manifest(backup: Path, **changes: Any) -> None:
    """Change members of the manifest."""
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(manifest | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"database": 5},
        {"database": None},
        {"schema": ["0010"]},
        {"store": "../x"},
        {"parts": []},
        {"parts": {}},
        {"parts": {"database": None}},
    ],
)
def test_a_manifest_member_of_a_wrong_type_is_refused(empty_app: Flask, backup: Path, changes: dict[str, Any]) -> None:
    edit_manifest(backup, **changes)
    assert_refused(empty_app, backup)


@pytest.mark.parametrize("name", ["store/../../outside", "/outside", "store/aa/../../../outside", "outside"])
def test_a_part_outside_the_backup_is_refused(empty_app: Flask, backup: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    parts = json.loads((backup / "manifest.json").read_text())["parts"]
    edit_manifest(backup, parts=parts | {name: "0" * 64})
    assert_refused(empty_app, backup)


@pytest.mark.parametrize("what", ["a file", "a folder", "the store", "the database", "the manifest", "a pipe"])
def test_a_link_in_a_backup_is_not_followed(empty_app: Flask, backup: Path, tmp_path: Path, what: str) -> None:
    """The same bytes, but through a link: `backup` writes no links."""
    file = next((backup / "store").glob("??/*"))
    moved = {
        "a file": file,
        "a pipe": file,
        "a folder": file.parent,
        "the store": backup / "store",
        "the database": backup / "database",
        "the manifest": backup / "manifest.json",
    }[what]
    shutil.move(moved, tmp_path / "outside")
    if what == "a pipe":
        os.mkfifo(moved)
    else:
        moved.symlink_to(tmp_path / "outside")
    assert_refused(empty_app, backup)


def test_a_damaged_database_is_refused_before_anything_changes(empty_app: Flask, backup: Path) -> None:
    (backup / "database").write_bytes(b"not a database" * 1000)
    parts = json.loads((backup / "manifest.json").read_text())["parts"]
    edit_manifest(backup, parts=parts | {"database": digest_of(backup / "database")})
    assert_refused(empty_app, backup)


def assert_refused(app: Flask, source: Path) -> None:
    """One message, status 1; the database has no table, the store no file, and no mark is set."""
    answer = run_command(app, "restore", source)
    assert (answer.exit_code, answer.output.count("\n")) == (1, 1), answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    with app.app_context():
        assert inspect(db.engine).get_table_names() == []
        db.engine.dispose()
    assert not Path(app.config["STORE"]).exists()
