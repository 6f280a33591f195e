"""Commands on accounts, schema, trail and search index."""

import re
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text

from app import create_app
from models import access
from models.codes import District
from models.database import db, triggers
from models.people.accounts import Account
from models.workflow import Refused
from tests.apps import without_triggers
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.signing_in import sign_in


def run_command(app: Flask, *words: str) -> Result:
    """The result of a command."""
    return app.test_cli_runner().invoke(args=words)


def account_named(app: Flask, username: str) -> Account | None:
    """The account as it is stored now."""
    with app.app_context(), access.everything() as session:
        return session.scalar(select(Account).where(Account.username == username))


def password_in(answer: Result) -> str:
    """The one-time password in the output."""
    shown = re.search(r"一次性密码：(\S+)（", answer.output)
    assert shown, answer.output
    return shown[1]


def test_upgrade_builds_an_empty_database_and_repeating_it_changes_nothing(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/new.sqlite"
    app = create_app({"SQLALCHEMY_DATABASE_URI": address, "STORE": str(tmp_path / "store"), "SECRET_KEY": "x"})
    for _again in range(2):
        answer = run_command(app, "upgrade")
        assert (answer.exit_code, answer.output) == (0, "数据库结构已是最新。\n")
    with app.app_context():
        assert "2233" in db.session.scalars(select(District.code)).all()
        found = db.session.connection().execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        assert set(triggers.names("sqlite")) <= set(found.scalars())
        db.engine.dispose()


def test_a_new_account_signs_in_with_the_password_shown_and_must_change_it(app: Flask) -> None:
    answer = run_command(app, "account", "add", "liu", "--name", "刘洋", "--role", "reviewer", "--province", "江苏")
    assert answer.exit_code == 0
    with app.app_context():
        person = sign_in(db.session(), "liu", password_in(answer))
        assert (person.province, person.must_change, person.name) == ("320000", True, "刘洋")


def test_an_organisation_is_chosen_by_its_credit_code(app: Flask) -> None:
    code = ("--organisation", "12320000466000101w")
    answer = run_command(app, "account", "add", "editor", "--name", "刘洋", "--role", "publisher", *code)
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
def test_missing_options_are_refused_with_a_sentence_and_no_account_is_added(
    app: Flask, words: tuple[str, ...], sentence: str
) -> None:
    answer = run_command(app, "account", "add", *words, "--name", "刘洋")
    assert answer.exit_code == 1
    assert sentence in answer.output
    assert account_named(app, "new") is None


@pytest.mark.parametrize(
    ("username", "name", "sentence"),
    [
        ("n" * 65, "刘洋", "用户名：最多 64 字，现在 65 字。"),
        ("new", "刘" * 51, "姓名：最多 50 字，现在 51 字。"),
        ("new", " \u200b", "请填写姓名。"),
    ],
)
def test_a_user_name_and_name_are_checked_as_in_the_form(app: Flask, username: str, name: str, sentence: str) -> None:
    answer = run_command(app, "account", "add", username, "--name", name, "--role", "national")
    assert (answer.exit_code, answer.output) == (1, f"{sentence}\n")
    assert account_named(app, username) is None


def test_a_new_password_ends_all_visits(app: Flask, client_as: ClientAs) -> None:
    browser = client_as("reviewer")
    assert browser.get("/review/").status_code == 200
    answer = run_command(app, "account", "password", "reviewer")
    assert answer.exit_code == 0
    assert browser.get("/review/").status_code == 302
    with app.app_context():
        with pytest.raises(Refused):
            sign_in(db.session(), "reviewer", "demo-Pass-2026")
        assert sign_in(db.session(), "reviewer", password_in(answer)).must_change


def test_a_disabled_account_is_signed_out_and_cannot_sign_in(app: Flask, client_as: ClientAs) -> None:
    browser = client_as("publisher")
    assert browser.get("/applications/").status_code == 200
    assert run_command(app, "account", "disable", "publisher").exit_code == 0
    assert browser.get("/applications/").status_code == 302
    with app.app_context(), pytest.raises(Refused):
        sign_in(db.session(), "publisher", "demo-Pass-2026")


@pytest.mark.parametrize("word", ["disable", "password"])
def test_an_unknown_user_name_is_refused_with_a_sentence(app: Flask, word: str) -> None:
    answer = run_command(app, "account", word, "nobody")
    assert (answer.exit_code, answer.output) == (1, "没有用户名为“nobody”的账号，请核对后再试。\n")


def test_an_unchanged_trail_has_no_contradictions(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="filed")
    answer = run_command(app, "trail", "verify")
    assert (answer.exit_code, answer.output) == (0, "办理记录、证明、文件和编号相互一致，没有发现改动。\n")


def test_trail_verify_names_the_case_whose_record_was_changed(app: Flask, make_application: MakeApplication) -> None:
    """AU1: the check of the hash chain finds an edit by raw SQL."""
    make_application(status="filed")
    changed = make_application(status="returned")
    with app.app_context(), db.engine.begin() as connection, without_triggers(connection):
        number = connection.scalar(text("SELECT number FROM application WHERE id = :id"), {"id": changed})
        connection.execute(text("UPDATE trail_entry SET opinion = '同意' WHERE act = 'return'"))
    answer = run_command(app, "trail", "verify")
    assert answer.exit_code == 1
    assert f"申请单号 {number}" in answer.output
    assert "发现 1 处不符" in answer.output


def test_commands_accept_a_user_name_in_any_spelling(app: Flask) -> None:
    """The normal form is stored, and searched."""
    added = run_command(app, "account", "add", "ＬiuＹang\u200b", "--name", "刘洋", "--role", "national")
    assert "账号“liuyang”已建立" in added.output
    assert run_command(app, "account", "add", "LIUYANG", "--name", "x", "--role", "national").output.startswith(
        "用户名“LIUYANG”已"
    )
    assert run_command(app, "account", "password", "LiuYang").exit_code == 0
    assert run_command(app, "account", "disable", " liuyang ").exit_code == 0
    person = account_named(app, "liuyang")
    assert person is not None and not person.active
    refused = run_command(app, "account", "add", "liu yang", "--name", "x", "--role", "national")
    assert (refused.exit_code, refused.output) == (
        1,
        "用户名只能由汉字、字母、数字和 . - _ @ 组成，中间不能有空格，请修改后再试。\n",
    )


def test_the_search_index_is_checked_and_rebuilt(app: Flask, make_application: MakeApplication) -> None:
    make_application(title="茉莉花")
    assert run_command(app, "search", "check").output == "检索索引、进口数量合计与登记的内容一致。\n"
    assert run_command(app, "search", "rebuild").output == "检索索引和进口数量合计已重建。\n"
    assert run_command(app, "search", "check").exit_code == 0


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_outdated_search_index_is_reported(app: Flask, make_application: MakeApplication) -> None:
    """On SQLite only: PostgreSQL updates its indexes itself."""
    make_application(title="茉莉花")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO search(rowid, grams) VALUES (99, 'O1')"))
    answer = run_command(app, "search", "check")
    assert (answer.exit_code, "请运行 search rebuild 重建" in answer.output) == (1, True)
    run_command(app, "search", "rebuild")
    assert run_command(app, "search", "check").exit_code == 0
