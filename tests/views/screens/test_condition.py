"""运行状态: each line shows a state and what to do, from the same sources as /healthz."""

import errno
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask

from models import clock
from tests.apps import is_on_sqlite
from tests.browsing import Browser, ClientAs
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke
from views.resources import keys

LINES = (
    "海关报文", "证明制作", "提醒和邮件", "附件存储", "查毒", "数据库", "签章密钥", "工作日历",
    "安全密钥",
    "最近备份", "最近恢复", "最近试恢复", "最近核对", "最近检查点",
)  # fmt: skip


def condition_lines(browser: Browser) -> dict[str, tuple[str, str, str]]:
    """Line → (state, how it is now, what to do)."""
    page = unescape(browser.get("/condition/").text)
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in re.findall("<tr>(.*?)</tr>", page, re.DOTALL)]
    plain = [[re.sub("<[^>]*>", "", cell).strip() for cell in row] for row in rows if row]
    return {about: (state, now, to_do) for about, state, now, to_do in plain}


def test_a_healthy_system_shows_every_line(app: Flask, client_as: ClientAs, invoke: Invoke) -> None:
    invoke("mail", "send")
    lines = condition_lines(client_as("operator"))
    confined = is_on_sqlite(app) or "ROW_SECURITY" in os.environ
    assert tuple(lines) == (LINES if confined else (*LINES[:6], "数据库登录名", *LINES[6:]))
    assert all(lines[name][0] == "正常" for name in LINES[:4])
    assert all(to_do for _state, _now, to_do in lines.values())
    assert lines["最近备份"] == ("须关注", "没有记录", "请运行 filing backup 目标，并定期备份到另一台机器。")


def test_a_login_that_owns_the_tables_is_reported_on_postgresql(app: Flask, client_as: ClientAs) -> None:
    """Row-level security does not bind it, and it may disable triggers; the tests connect so unless ROW_SECURITY."""
    line = condition_lines(client_as("operator")).get("数据库登录名")
    if is_on_sqlite(app) or "ROW_SECURITY" in os.environ:
        assert line is None
        return
    assert line and line[0] == "须关注" and "可以越过行级安全" in line[1] and "database roles" in line[2]


def test_an_overdue_line_says_what_to_do(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_application(status="filed")
    really = clock.now
    monkeypatch.setattr(clock, "now", lambda: really() + timedelta(hours=2))
    lines = condition_lines(client_as("operator"))
    assert lines["海关报文"][0] == lines["证明制作"][0] == "须处理"
    assert lines["海关报文"][1].startswith("待发送 1；已发送，待回执 0；")
    assert "customs deliver --watch" in lines["海关报文"][2]
    assert lines["证明制作"][1:] == (
        "等候制作 1，其中超时 1，已搁置 0", "证明文件没有按时制作。请启动 certificate work --watch。",
    )  # fmt: skip


def test_a_missing_store_is_reported(app: Flask, client_as: ClientAs) -> None:
    app.config["STORE"] = "/proc/nowhere"
    state, now, to_do = condition_lines(client_as("operator"))["附件存储"]
    assert (state, now) == ("须处理", "不可用")
    assert to_do.startswith("附件存储不可用")


def test_a_folder_of_keys_that_cannot_be_listed_is_reported(
    app: Flask, client_as: ClientAs, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to root, and only root may read it."""
    operator, listed = client_as("operator"), Path.iterdir
    with app.app_context():
        folder = keys().folder

    def denied(path: Path) -> Iterator[Path]:
        if path == folder:
            raise PermissionError(errno.EACCES, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", denied)
    assert condition_lines(operator)["签章密钥"][:2] == ("须处理", "有缺失")
    assert operator.get("/desk/").status_code == 200
    shown = invoke("certificate", "keys", "list")
    assert (shown.exit_code, f"{folder.name} 不能读取" in shown.output) == (1, True)


def test_backup_and_check_are_shown_with_their_age_and_reported_when_old(
    app: Flask, client_as: ClientAs, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("upgrade")
    assert invoke("backup", str(tmp_path / "backup")).exit_code == 0
    assert invoke("trail", "verify").exit_code == 0
    lines = condition_lines(client_as("operator"))
    assert lines["最近备份"][0] == lines["最近核对"][0] == "正常"
    assert str(tmp_path / "backup") in lines["最近备份"][1]
    assert "没有发现不符" in lines["最近核对"][1]
    really = clock.now
    monkeypatch.setattr(clock, "now", lambda: really() + timedelta(days=40))
    lines = condition_lines(client_as("operator"))
    assert lines["最近备份"][0] == lines["最近核对"][0] == "须关注"


def test_the_condition_screen_shows_no_application(client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application(status="filed", title="机密标题")
    page = client_as("operator").get("/condition/").text
    assert not re.search("机密标题|SQ20|Z32", page)
    for who in ("publisher", "reviewer", "national"):
        assert client_as(who).get("/condition/").status_code == 403
