"""登录日志, 操作日志, 打印与导出日志, 办理日志: their entries, their readers, and that they are read-only."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import text

from models import clock
from tests.apps import engine_of_owner
from tests.browsing import Browser, ClientAs
from tests.cast import PASSWORD
from tests.conftest import MakeApplication, StoredRows
from tests.views.pages import flashed, form_of
from tests.views.screens.read_logs import columns_of, entries_of, lines

Lines = list[dict[str, str]]


class TestOperations:
    def test_adding_changing_and_disabling_an_account_is_logged(self, client_as: ClientAs, app: Flask) -> None:
        operator = client_as("operator")
        form = form_of(operator.get("/accounts/new/").text, "card-box") | {
            "username": "wanglin",
            "name": "王琳",
            "role": "national",
        }
        assert operator.post("/accounts/new/", data=form).status_code == 302
        (key,) = re.findall(r"/accounts/edit/\?id=(\d+)[^>]*>编辑", operator.get("/accounts/?username=wanglin").text)
        form = form_of(operator.get(f"/accounts/edit/?id={key}").text, "card-box") | {"name": "王林"}
        del form["active"]
        operator.post(f"/accounts/edit/?id={key}", data=form)
        operator.post("/accounts/reset/", data={"id": key})
        rows = lines(operator, "operations")
        assert columns_of(rows, "事项", "用户名", "对象", "说明") == [
            ("重置密码", "operator", "wanglin", ""),
            ("修改账号", "operator", "wanglin", "姓名：王琳 → 王林；启用：是 → 否"),
            (
                "新增账号", "operator", "wanglin",
                "用户名：wanglin；姓名：王琳；角色：国家查询；所属单位：（无）；所属省份：（无）；启用：是",
            ),
        ]  # fmt: skip

    def test_a_refused_save_is_not_logged(self, client_as: ClientAs, app: Flask) -> None:
        operator = client_as("operator")
        form = form_of(operator.get("/accounts/new/").text, "card-box") | {
            "username": "x",
            "name": "王琳",
            "role": "reviewer",
        }
        assert operator.post("/accounts/new/", data=form).status_code == 422  # 省级审核账号须选择所属省份
        form = form_of(operator.get("/accounts/edit/?id=1").text, "card-box")
        assert operator.post("/accounts/edit/?id=1", data=form).status_code == 302  # as it was
        assert entries_of(app) == []

    @pytest.mark.slow
    def test_changes_of_organisations_entrustments_and_calendar_are_logged(
        self, client_as: ClientAs, app: Flask
    ) -> None:
        operator = client_as("operator")
        form = form_of(operator.get("/organisations/edit/?id=1").text, "card-box") | {
            "name": "江苏文艺音像出版社有限公司"
        }
        operator.post("/organisations/edit/?id=1", data=form)
        form = form_of(operator.get("/entrustments/edit/?id=1").text, "card-box") | {"until": "2030-12-31"}
        operator.post("/entrustments/edit/?id=1", data=form)
        operator.post("/calendar/new/", data={"day": "2031-10-01", "kind": "off", "name": "国庆"})
        key, *_others = re.findall(r'name="id" value="(\d+)"', operator.get("/calendar/").text)
        operator.post("/calendar/remove/?day=2031-10-01", data={"id": key})
        rows = lines(operator, "operations")
        assert columns_of(rows, "事项", "对象", "说明") == [
            ("移除工作日历", "2031-10-01", "放假，国庆"),
            ("登记工作日历", "2031-10-01", "放假，国庆"),
            ("修改委托", "12320000466000101W → 91320000567800303F", "终止日期：2099-12-31 → 2030-12-31"),
            ("修改单位", "12320000466000101W", "单位名称：江苏文艺音像出版社 → 江苏文艺音像出版社有限公司"),
        ]

    def test_commands_are_logged(self, client_as: ClientAs, app: Flask) -> None:
        app.test_cli_runner().invoke(args=["account", "disable", "agent"])
        app.test_cli_runner().invoke(args=["account", "password", "agent"])
        operator = client_as("operator")
        assert columns_of(lines(operator, "operations"), "事项", "用户名", "对象") == [
            ("重置密码", "", "agent"), ("修改账号", "", "agent"),
        ]  # fmt: skip
        assert operator.get("/operations/").text.count("命令行") == 2


class TestSignIns:
    def test_sign_ins_and_password_changes_of_one_person_are_logged(self, app: Flask, client_as: ClientAs) -> None:
        browser = Browser(app)
        agent = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0.0.0 Safari/537.36"}
        browser.post("/login", data={"username": "publisher", "password": "wrong-Pass-1"}, headers=agent)
        browser.post("/login", data={"username": "publisher", "password": PASSWORD}, headers=agent)
        passwords = {"current": "wrong-Pass-1", "new": "Kranich-77-hoch", "repeat": "Kranich-77-hoch"}
        browser.post("/password", data=passwords, headers=agent)
        browser.post("/password", data=passwords | {"current": PASSWORD}, headers=agent)
        browser.post("/logout", headers=agent)
        rows = lines(client_as("operator"), "signins", "username=Publisher")
        assert [row["事项"] for row in rows] == [
            "退出", "修改密码", "修改密码失败：当前密码不正确", "登录成功", "登录失败：密码不正确",
        ]  # fmt: skip
        assert {(row["用户名"], row["姓名"], row["地址"], row["浏览器"]) for row in rows} == {
            ("publisher", "王敏", "127.0.0.1", "Chrome 130 · Windows")
        }

    @pytest.mark.slow
    def test_an_unknown_user_name_is_shown_as_a_hash(self, app: Flask, client_as: ClientAs) -> None:
        Browser(app).post("/login", data={"username": "My-Secret-Pass-77", "password": "x"})
        page = client_as("operator").get("/signins/").text
        assert re.search(r"#[0-9a-f]{4}（未登记）", page)
        assert "secret" not in page.casefold()

    def test_the_log_is_filtered_by_day_kind_name_and_address(self, app: Flask, client_as: ClientAs) -> None:
        browser = Browser(app)
        browser.post("/login", data={"username": "publisher", "password": "wrong-Pass-1"})
        browser.post("/login", data={"username": "agent", "password": PASSWORD})
        operator = client_as("operator")
        for asked, count in {
            "": 2, "username=ＡＧＥＮＴ": 1, "kind=wrong_password": 1, "address=127.0.0.1": 2, "address=10.0.0.1": 0,
            "since=2020-01-01&until=2020-12-31": 0, "since=2020-01-01&username=agent&kind=signed_in": 1,
            "username=agent&kind=wrong_password": 0,
        }.items():  # fmt: skip
            assert f"共 {count} 条" in operator.get(f"/signins/?{asked}").text, asked
        page = operator.get("/signins/?since=2026-02-01&until=2026-01-01").text
        assert "起始日期晚于终止日期" in page and "共 " not in page


@pytest.mark.slow
def test_the_nation_reads_the_acts_of_issued_certificates(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """办理日志: no draft, no act before 申报, and a link to each application."""
    issued, pending = make_application(status="customs_received"), make_application(status="pending", by="publisher2")
    number = stored_rows(issued)["application"][0]["number"]
    national = client_as("national")
    rows = lines(national, "acts")
    assert columns_of(rows, "环节", "申请单号") == [
        ("海关接收成功回执", number), ("准予备案", number), ("申报", number),
    ]  # fmt: skip
    assert stored_rows(pending)["application"][0]["number"] not in national.get("/acts/").text
    assert unescape(national.get("/acts/").text).count(f"/register/details/?id={issued}") == 3
    for asked, count in {"act=grant": 1, "username=reviewer": 1, "username=x": 0, f"number={number}": 3}.items():
        assert len(lines(national, "acts", asked)) == count, asked


@pytest.mark.slow
def test_no_address_of_a_log_accepts_a_change(client_as: ClientAs) -> None:
    """No 清空, no edit, no delete."""
    for who in ("operator", "national"):
        browser = client_as(who)
        for log in ("signins", "operations", "prints"):
            page = browser.get(f"/{log}/").text
            assert not re.search("清空|删除|编辑|新建", page)
            for door in ("new/", "edit/?id=1", "delete/", "action/", "ajax/update/"):
                assert browser.post(f"/{log}/{door}", data={"id": 1}).status_code in (403, 404, 405), (log, door)


def test_passwords_and_tokens_are_not_in_the_database(app: Flask, client_as: ClientAs) -> None:
    """No password, no token, no one-time password."""
    browser = Browser(app)
    browser.post("/login", data={"username": "publisher", "password": PASSWORD})
    shown = flashed(client_as("operator").post("/accounts/reset/", data={"id": 3}, follow_redirects=True).text)
    with app.app_context(), engine_of_owner(app).connect() as connection:
        log = str(connection.execute(text("SELECT * FROM log_entry")).all())
    assert PASSWORD not in log
    (once,) = re.findall("一次性密码：(.*?)（", shown[0])
    assert once not in log


@pytest.mark.parametrize(
    "title",
    ["关于系统维护（第二次）的通知：请及时保存！", "关于系统维护的通知：" * 10, "（" + "维护" * 49 + "）"],
    ids=("full-width", "long", "longest"),
)
def test_an_announcement_is_found_by_its_title_as_copied(client_as: ClientAs, title: str) -> None:
    """Formerly not with full-width signs, which were folded, nor beyond the length of the column."""
    operator = client_as("operator")
    today = str(clock.today())
    form = {"title": title, "text": "x", "roles": ["publisher"], "since": today, "until": today}
    assert operator.post("/announcements/new/", data=form).status_code == 302
    assert len(lines(operator, "operations", urlencode({"about": f" {title}"}))) == 1
    assert lines(operator, "operations", urlencode({"about": title[:20]})) == []
