"""The words of the terminal for accounts, the schema and the trail."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app import create_app
from models import access
from models.codes import District
from models.database import db, triggers
from models.people import sessions
from models.people.accounts import Account
from models.workflow import Refused

Making = Callable[..., int]


def told(app: Flask, *words: str) -> Result:
    """What the terminal answers."""
    return app.test_cli_runner().invoke(args=words)


def account_named(app: Flask, username: str) -> Account | None:
    """The account as it is stored now."""
    with app.app_context(), access.everything() as session:
        return session.scalar(select(Account).where(Account.username == username))


def password_in(answer: Result) -> str:
    """The one-time password that the terminal shows."""
    shown = re.search(r"一次性密码：(\S+)（", answer.output)
    assert shown, answer.output
    return shown[1]


def test_upgrade_builds_an_empty_database_and_repeating_it_changes_nothing(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/new.sqlite"
    app = create_app({"SQLALCHEMY_DATABASE_URI": address, "STORE": str(tmp_path / "store"), "SECRET_KEY": "x"})
    for _again in range(2):
        answer = told(app, "upgrade")
        assert (answer.exit_code, answer.output) == (0, "数据库结构已是最新。\n")
    with app.app_context():
        assert "2233" in db.session.scalars(select(District.code)).all()
        found = db.session.connection().execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        assert set(triggers.names()) <= set(found.scalars())
        db.engine.dispose()


def test_a_new_account_signs_in_with_the_password_shown_and_must_change_it(app: Flask) -> None:
    answer = told(app, "account", "add", "liu", "--name", "刘洋", "--role", "reviewer", "--province", "江苏")
    assert answer.exit_code == 0
    with app.app_context():
        person = sessions.sign_in(db.session(), "liu", password_in(answer))
        assert (person.province, person.must_change, person.name) == ("320000", True, "刘洋")


def test_a_press_is_chosen_by_its_credit_code(app: Flask) -> None:
    code = ("--organisation", "12320000466000101w")
    answer = told(app, "account", "add", "editor", "--name", "刘洋", "--role", "publisher", *code)
    assert answer.exit_code == 0, answer.output
    editor = account_named(app, "editor")
    assert editor
    assert editor.organisation
    assert editor.organisation.name == "江苏文艺音像出版社"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("publisher", "--role", "national"), "用户名“publisher”已存在，请换一个。"),
        (("new", "--role", "publisher"), "出版单位账号须选择所属单位。"),
        (("new", "--role", "reviewer"), "省级审核账号须选择所属省份。"),
        (("new", "--role", "reviewer", "--province", "亚特兰蒂斯"), "“亚特兰蒂斯”不在代码表中"),
        (("new", "--role", "publisher", "--organisation", "91"), "没有统一社会信用代码为“91”的单位"),
    ],
)
def test_what_is_missing_is_told_in_a_sentence_and_no_account_is_made(
    app: Flask, words: tuple[str, ...], sentence: str
) -> None:
    answer = told(app, "account", "add", *words, "--name", "刘洋")
    assert answer.exit_code == 1
    assert sentence in answer.output
    assert account_named(app, "new") is None


def test_a_new_password_ends_what_the_old_one_began(app: Flask, as_: Callable[[str], FlaskClient]) -> None:
    browser = as_("reviewer")
    assert browser.get("/review/").status_code == 200
    answer = told(app, "account", "password", "reviewer")
    assert answer.exit_code == 0
    assert browser.get("/review/").status_code == 302
    with app.app_context():
        with pytest.raises(Refused):
            sessions.sign_in(db.session(), "reviewer", "demo-Pass-2026")
        assert sessions.sign_in(db.session(), "reviewer", password_in(answer)).must_change


def test_a_disabled_account_is_out_at_once_and_stays_out(app: Flask, as_: Callable[[str], FlaskClient]) -> None:
    browser = as_("publisher")
    assert browser.get("/applications/").status_code == 200
    assert told(app, "account", "disable", "publisher").exit_code == 0
    assert browser.get("/applications/").status_code == 302
    with app.app_context(), pytest.raises(Refused):
        sessions.sign_in(db.session(), "publisher", "demo-Pass-2026")


@pytest.mark.parametrize("word", ["disable", "password"])
def test_nobody_of_that_name_is_a_sentence(app: Flask, word: str) -> None:
    answer = told(app, "account", word, "nobody")
    assert (answer.exit_code, answer.output) == (1, "没有用户名为“nobody”的账号，请核对后再试。\n")


def test_a_trail_that_nobody_touched_is_whole(app: Flask, make_application: Making) -> None:
    make_application(status="filed")
    answer = told(app, "trail", "verify")
    assert (answer.exit_code, answer.output) == (0, "办理记录、证明、文件和编号相互一致，没有发现改动。\n")


def test_trail_verify_names_the_case_whose_record_was_changed(app: Flask, make_application: Making) -> None:
    """AU1: chain verifier finds an edit that went round the application and its guards."""
    make_application(status="filed")
    changed = make_application(status="returned")
    with app.app_context(), db.engine.begin() as connection:
        triggers.remove(connection)
        number = connection.scalar(text("SELECT number FROM application WHERE id = :id"), {"id": changed})
        connection.execute(text("UPDATE trail_entry SET opinion = '同意' WHERE act = 'return'"))
        triggers.install(connection)
    answer = told(app, "trail", "verify")
    assert answer.exit_code == 1
    assert f"申请单号 {number}" in answer.output
    assert "发现 1 处不符" in answer.output


def test_the_terminal_reads_a_user_name_however_it_is_typed(app: Flask) -> None:
    """It stores the normal form, and finds by it."""
    added = told(app, "account", "add", "ＬiuＹang\u200b", "--name", "刘洋", "--role", "national")
    assert "账号“liuyang”已建立" in added.output
    assert told(app, "account", "add", "LIUYANG", "--name", "x", "--role", "national").output.startswith(
        "用户名“LIUYANG”已"
    )
    assert told(app, "account", "password", "LiuYang").exit_code == 0
    assert told(app, "account", "disable", " liuyang ").exit_code == 0
    person = account_named(app, "liuyang")
    assert person is not None and not person.active
    refused = told(app, "account", "add", "liu yang", "--name", "x", "--role", "national")
    assert (refused.exit_code, refused.output) == (
        1,
        "用户名只能由汉字、字母、数字和 . - _ @ 组成，中间不能有空格，请修改后再试。\n",
    )


def test_the_search_index_is_checked_and_made_anew(app: Flask, make_application: Making) -> None:
    make_application(title="茉莉花")
    assert told(app, "search", "check").output == "检索索引与商品名称一致。\n"
    assert told(app, "search", "rebuild").output == "检索索引已重建。\n"
    assert told(app, "search", "check").exit_code == 0


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_search_index_that_is_not_in_step_is_told(app: Flask, make_application: Making) -> None:
    """PostgreSQL lets nobody write past an index."""
    make_application(title="茉莉花")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO search(rowid, grams) VALUES (99, 'O1')"))
    answer = told(app, "search", "check")
    assert (answer.exit_code, "请运行 search rebuild 重建" in answer.output) == (1, True)
    told(app, "search", "rebuild")
    assert told(app, "search", "check").exit_code == 0
