"""`trail verify` finds edits by raw SQL, as far as records contradict each other."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from models import access, integrity
from models.database import db
from models.vocabulary import Status
from tests.apps import without_triggers
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from views.resources import store

Tampering = Callable[..., list[str]]


@pytest.fixture
def find_contradictions(app: Flask) -> Callable[[], list[str]]:
    """The contradictions found now."""

    def checked() -> list[str]:
        with app.app_context(), access.everything() as session:
            return list(integrity.contradictions(session, store()))

    return checked


@pytest.fixture
def tamper(app: Flask, find_contradictions: Callable[[], list[str]]) -> Tampering:
    """Runs SQL without triggers and row security; the contradictions found then."""

    def run(*statements: str, **values: object) -> list[str]:
        with app.app_context(), db.engine.begin() as connection, without_triggers(connection):
            connection.execute(text("DELETE FROM uncounted_act"))  # an entry that statistics wait for cannot go
            for statement in statements:
                connection.execute(text(statement), values)
        return find_contradictions()

    return run


def test_an_unchanged_register_has_no_contradictions(
    app: Flask, make_application: MakeApplication, find_contradictions: Callable[[], list[str]]
) -> None:
    for status in Status:
        make_application(status=status, carriers=2)
    make_application(by="agent", status="customs_received")
    assert find_contradictions() == []


def test_the_demo_data_have_no_contradictions(invoke: Invoke, find_contradictions: Callable[[], list[str]]) -> None:
    """With codes that contain a dash (CD-ROM), and numbers with trailing zeros."""
    assert invoke("demo").exit_code == 0
    assert find_contradictions() == []


LAST = "SELECT max(id) FROM trail_entry WHERE application_id = :key"
CUT_BACK = "DELETE FROM trail_entry WHERE application_id = :key AND act NOT IN ('start', 'edit', 'attach')"


@pytest.mark.parametrize(
    ("status", "statements", "sentence"),
    [
        ("returned", [f"DELETE FROM trail_entry WHERE id = ({LAST})"], "第 "),
        (
            "filed",
            [
                f"DELETE FROM trail_entry WHERE id = ({LAST})",
                "UPDATE application SET status = 'pending' WHERE id = :key",
            ],
            "的数据状态与是否已签发证明不符。",
        ),
        (
            "customs_received",
            [
                f"DELETE FROM trail_entry WHERE id = ({LAST})",
                f"DELETE FROM trail_entry WHERE id = ({LAST})",
                "UPDATE application SET status = 'filed' WHERE id = :key",
            ],
            "已签发证明，但没有准予备案记录。",
        ),
        ("pending", [CUT_BACK, "UPDATE application SET status = 'draft' WHERE id = :key"], "已申报，但没有申报记录。"),
        ("filed", [CUT_BACK, "UPDATE application SET status = 'draft' WHERE id = :key"], "没有对应的办理记录。"),
        ("pending", ["DELETE FROM trail_entry WHERE application_id = :key"], "没有完整的办理记录。"),
        (
            "revoked",
            [f"DELETE FROM trail_entry WHERE id = ({LAST})", "UPDATE application SET status = 'filed' WHERE id = :key"],
            "没有对应的办理记录。",
        ),
        ("filed", ["UPDATE serial SET last = 2 WHERE series = 'Z32'"], "的证明编号应有 2 个，相差 1 个。"),
        ("filed", ["UPDATE application SET title = '别的名称' WHERE id = :key"], "的内容与申请不符。"),
        ("filed", ["UPDATE application SET port = '0100' WHERE id = :key"], "的内容与申请不符。"),
        ("filed", ["UPDATE carrier SET quantity = '9' WHERE application_id = :key"], "的内容与申请不符。"),
        ("filed", ["DELETE FROM carrier WHERE application_id = :key"], "的内容与申请不符。"),
        ("filed", ["UPDATE certificate SET content = '{}' WHERE application_id = :key"], "的内容与摘要不符。"),
        (
            "not_accepted",
            ["UPDATE application SET deleted_at = changed_at WHERE id = :key"],
            "已删除，但没有删除记录。",
        ),
        ("pending", ["UPDATE application SET submitted_at = NULL WHERE id = :key"], "有申报记录，但没有申报日期。"),
    ],
)
def test_a_removed_or_changed_record_contradicts_another(
    app: Flask, make_application: MakeApplication, tamper: Tampering, status: str, statements: list[str], sentence: str
) -> None:
    make_application(by="agent", status="pending")
    key = make_application(status=status)
    sentences = tamper(*statements, key=key)
    assert any(sentence in reported for reported in sentences), sentences


def test_content_and_digest_changed_together_contradict_the_application(
    app: Flask, make_application: MakeApplication, tamper: Tampering
) -> None:
    key = make_application(status="filed")
    with app.app_context(), db.engine.connect() as connection:
        row = connection.execute(
            text("SELECT content FROM certificate WHERE application_id = :key"), {"key": key}
        ).one()
    forged = json.dumps(json.loads(row.content) | {"title": "别的名称"}, ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(forged.encode()).hexdigest()
    change = "UPDATE certificate SET content = :content, digest = :digest WHERE application_id = :key"
    assert any("的内容与申请不符。" in line for line in tamper(change, content=forged, digest=digest, key=key))


@pytest.mark.parametrize("lost", [True, False])
def test_a_lost_or_replaced_file_in_the_store_is_found(
    app: Flask,
    make_application: MakeApplication,
    printed_paper: Callable[[int], bytes],
    find_contradictions: Callable[[], list[str]],
    lost: bool,
) -> None:
    paper = printed_paper(make_application(status="filed"))
    assert find_contradictions() == []
    path = next(Path(app.config["STORE"]).rglob(hashlib.sha256(paper).hexdigest()))
    path.unlink()
    if not lost:
        path.write_bytes(b"%PDF-1.7 another")
    assert any("的文件缺失或与登记的摘要不符。" in sentence for sentence in find_contradictions())


def test_a_changed_digest_is_found(
    make_application: MakeApplication, printed_paper: Callable[[int], bytes], tamper: Tampering
) -> None:
    key = make_application(status="filed")
    printed_paper(key)
    reported = tamper("UPDATE paper SET digest = :other WHERE application_id = :key", other="0" * 64, key=key)
    assert any("的文件缺失或与登记的摘要不符。" in sentence for sentence in reported)


@pytest.mark.parametrize("change", ["trail_entry SET role = 'minister'", "application SET status = 'lost'"])
def test_an_unknown_status_word_is_reported_before_other_checks(
    app: Flask, make_application: MakeApplication, tamper: Tampering, change: str
) -> None:
    """Rows with such a word cannot be read, and so not compared."""
    key = make_application(status="pending")
    where = "application_id" if change.startswith("trail") else "id"
    named, rest = tamper(f"UPDATE {change} WHERE {where} = :key", key=key)
    assert named.endswith("不是词表内的值。")
    assert "尚未核对" in rest


def test_a_reference_to_a_missing_row_is_named(
    app: Flask, make_application: MakeApplication, find_contradictions: Callable[[], list[str]]
) -> None:
    key = make_application(status="customs_received")
    with app.app_context():
        engine = db.engine
        with engine.connect() as connection:
            sqlite = engine.name == "sqlite"
            unchecked = "PRAGMA foreign_keys = OFF" if sqlite else "SET session_replication_role = replica"
            connection.exec_driver_sql(unchecked)
            connection.commit()
            with without_triggers(connection):
                connection.execute(text("UPDATE customs_message SET certificate_id = 4711"))
            connection.commit()
        engine.dispose()
    assert key
    assert any("customs_message 记录的 certificate_id 指向不存在的记录" in line for line in find_contradictions())
