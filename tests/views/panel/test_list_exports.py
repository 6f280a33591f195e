"""导出 of 待审核, 数据交换, the registers of the operator and one's own lists: what is shown, to whom it is shown."""

import io
from urllib.parse import quote

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from models import access
from models.customs.reconciliation import reconcile
from models.log import LogEntry
from models.vocabulary import Difference
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.panel.exported import rows_of
from views.translations import COOKIE

HEADS = {  # (account, list) → the headings of its file
    ("reviewer", "exchange"): ["报文编号", "事由", "申请单号", "数据状态", "交换状态", "入列时间", "回执"],
    ("operator", "accounts"): ["用户名", "姓名", "角色", "所属单位", "所属省份", "启用"],
    ("operator", "organisations"): ["统一社会信用代码", "单位名称", "单位类型", "所在省份", "启用"],
    ("operator", "entrustments"): ["委托出版单位", "受托单位", "起始日期", "终止日期", "状态"],
    ("operator", "announcements"): ["标题", "发给", "起始日期", "终止日期", "状态"],
    ("operator", "districts"): ["关区代码", "关区名称", "已停用"],
    ("operator", "calendar"): ["日期", "星期", "类别", "节日", "来源"],
    ("operator", "traffic"): ["对账时间", "所对日期", "我方报文", "海关台账", "差异"],
    ("operator", "online"): ["用户", "角色", "登录时间", "最近操作", "地址", "浏览器"],
    ("operator", "blanks"): ["附件种类", "文件名", "大小（字节）", "上传时间"],
    ("operator", "portal"): [
        "姓名",
        "单一窗口用户",
        "单位",
        "统一社会信用代码",
        "申请时间",
        "地址",
        "不予关联时间",
    ],
    ("publisher", "messages"): ["时间", "类别", "消息"],
    ("publisher", "queries"): ["名称", "所在列表", "查询条件"],
    ("publisher", "entrusting"): ["委托出版单位", "受托单位", "起始日期", "终止日期", "状态"],
}
NAMES = {  # list → its name in the log
    "exchange": "数据交换", "accounts": "账号", "organisations": "单位", "entrustments": "委托",
    "announcements": "通知公告", "districts": "关区代码", "calendar": "工作日历", "traffic": "数据交换",
    "online": "在线用户", "blanks": "空白表格", "portal": "单一窗口用户", "messages": "消息", "queries": "常用查询",
    "entrusting": "委托",
}  # fmt: skip
PROVINCE = {"reviewer": 1, "reviewer2": 0}


def handed_out(app: Flask) -> list[tuple[str, str, int | None]]:
    """(user, list, rows) of each entry 导出 in the log."""
    with app.app_context(), access.everything() as session:
        wanted = select(LogEntry.username, LogEntry.about, LogEntry.amount).where(LogEntry.kind == "export")
        return [tuple(row) for row in session.execute(wanted.order_by(LogEntry.id))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_each_list_is_exported_with_its_own_columns_and_logged(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    make_application(status="customs_received")
    for (who, screen), wanted in HEADS.items():
        browser = client_as(who)
        assert f"/{screen}/export/{kind}/" in browser.get(f"/{screen}/").text, screen
        head, *rows = rows_of(browser.get(f"/{screen}/export/{kind}/"), kind)
        assert head == wanted, screen
        assert handed_out(app)[-1] == (who, NAMES[screen], len(rows))
    assert len(handed_out(app)) == len(HEADS)


@pytest.mark.slow
def test_with_english_screens_the_file_its_sheet_and_its_log_entry_have_chinese_names(
    app: Flask, client_as: ClientAs
) -> None:
    browser = client_as("reviewer")
    browser.set_cookie(COOKIE, "en")
    for screen, name in (("exchange", "数据交换"), ("statistics", "统计")):
        answer = browser.get(f"/{screen}/export/xlsx/")
        assert load_workbook(io.BytesIO(answer.data)).sheetnames == [name]
        assert quote(name) in answer.headers["Content-Disposition"]
        assert handed_out(app)[-1][:2] == ("reviewer", name)


@pytest.mark.slow
def test_values_are_words_of_the_list_without_its_tags(client_as: ClientAs, make_application: MakeApplication) -> None:
    make_application(status="customs_received")
    _head, message = rows_of(client_as("reviewer").get("/exchange/export/csv/"), "csv")
    assert message[1:5] == ["准予备案", "SQ202600000001", "海关接收成功", "接收成功"]
    operator = client_as("operator")
    accounts = {row[0]: row for row in rows_of(operator.get("/accounts/export/csv/"), "csv")[1:]}
    assert accounts["publisher"][1:] == ["王敏", "出版单位", "江苏文艺音像出版社", "", "是"]
    assert accounts["reviewer"][2:5] == ["省级审核", "", "江苏省"]
    _head, *days = rows_of(operator.get("/calendar/export/csv/?year=2026"), "csv")
    assert ["2026-10-01", "周四", "放假"] in [day[:3] for day in days]
    assert {day[0][:4] for day in days} == {"2026"}
    _head, *entrusted = rows_of(operator.get("/entrustments/export/csv/"), "csv")
    assert [row[:2] for row in entrusted] == [["江苏文艺音像出版社", "南京光盘进出口有限公司"]]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_messages_and_pending_cases_are_those_of_the_own_province(
    client_as: ClientAs, make_application: MakeApplication, kind: str
) -> None:
    make_application(status="customs_received", title="已发")
    make_application(status="pending", title="待审")
    for who, own in PROVINCE.items():
        browser = client_as(who)
        assert len(rows_of(browser.get(f"/exchange/export/{kind}/"), kind)) == 1 + own
        head, *rows = rows_of(browser.get(f"/review/export/{kind}/"), kind)
        assert [row[head.index("商品名称")] for row in rows] == ["待审"] * own
    head, *rows = rows_of(client_as("reviewer").get(f"/review/export/{kind}/?title=没有"), kind)
    assert rows == []


@pytest.mark.slow
def test_no_export_of_the_operator_shows_an_application(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="customs_received", title="茉莉花")
    unknown = {"message_id": "Z3220269999999-1", "accepted": True, "day": "2026-11-02"}
    with app.app_context(), access.everything() as session:
        compared = reconcile(session, lambda _since, _until: [unknown])
        assert compared.differences_of() == [("Z3220269999999-1", Difference.MISSING_HERE)]
    operator = client_as("operator")
    assert [row[2:] for row in rows_of(operator.get("/traffic/export/csv/"), "csv")[1:]] == [["0", "1", "1"]]
    for who, screen in HEADS:
        if who == "operator":
            text = operator.get(f"/{screen}/export/csv/").text
            assert "SQ2026" not in text
            assert "Z32" not in text
            assert "茉莉花" not in text
