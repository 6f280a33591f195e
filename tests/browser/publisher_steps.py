"""The steps of the publisher in the manual."""

import random
import re
from datetime import timedelta

from playwright.sync_api import expect

from models import clock
from tests.browser.person import Person
from tests.conftest import MakePdf

TITLE = "黑胶唱片《茉莉花——江苏民歌选》"
CORRECTED = "黑胶唱片《茉莉花——江苏民歌选》（修订）"
BASICS = {
    "title": TITLE,
    "catalogue_number": "ISRC CN-C18-26-0009-0/V·J4",
    "isbn": "9787885182106",
    "isrc": "CN-C18-26-00009",
    "copyright_owner": "江苏文艺音像出版社",
    "summary": "江苏民歌选集，收录十二首。",
    "manufacturer": "Optimal Media GmbH",
    "sid_code": "IFPI L278",
    "contract_number": "HT-2026-018",
    "consignee": "江苏文艺音像出版社",
    "hs_code": "8523499030",
    "trade_mode": "一般贸易",
    "expected_on": str(clock.today() + timedelta(days=90)),
    "phone": "025-83210000",
}
PICKED = {"category": ("音", "音像制品"), "country": ("德", "DEU-德国"), "port": ("浦江", "2201-浦江海关")}
REQUIRED = {
    "application_form": "备案申请表",
    "licence": "出版许可证",
    "sample": "样品内容材料",
    "contract": "境外加工合同",
}
ROWS = 16


def fills_in_the_form(publisher: Person) -> str:
    """手册 第一章·基本信息: 备案证明申请, selects that search, all other fields; 申请单号 comes by itself."""
    page = publisher.page
    page.get_by_role("link", name="备案证明申请").click()
    expect(page.get_by_label("申请单位", exact=True)).to_have_value("江苏文艺音像出版社")
    expect(page.get_by_label("申请单位", exact=True)).not_to_be_editable()
    for field, (typed, option) in PICKED.items():
        publisher.pick(field, typed, option)
    for field, text in BASICS.items():
        page.locator(f"#{field}").fill(text)
    page.keyboard.press("Escape")
    publisher.turn_over("保存")
    expect(page.locator(".alert-success")).to_be_visible()
    expect(page.get_by_label("受理机关")).to_have_value("江苏省新闻出版局")
    for field, (_typed, option) in PICKED.items():
        expect(page.locator(f"#{field}")).to_have_value(option)
    number = page.get_by_label("申请单号").input_value()
    assert re.fullmatch(r"SQ\d{12}", number)
    return number


def enters_the_carriers(publisher: Person) -> None:
    """手册 第一章·载体信息: rows added, one edited, one deleted with a prompt; 必填 are asked for."""
    page, rows = publisher.page, publisher.page.locator("tr.inline-row:visible")
    for place in range(ROWS):
        if place:
            publisher.press("新增一行")
        row = rows.nth(place)
        row.get_by_label("载体类型").fill("黑胶唱片")
        row.get_by_label("规格型号").fill(f"12 英寸 第 {place + 1} 卷")
        row.get_by_label("进口数量").fill(str(1000 + place))
        row.get_by_label("单位", exact=True).fill("010-张")
    rows.nth(3).get_by_label("规格型号").fill("")
    publisher.turn_over("保存")
    expect(rows.nth(3).get_by_role("alert")).to_have_text("必填。")
    rows.nth(3).get_by_label("规格型号").fill("10 英寸 第 4 卷")
    publisher.turn_over("保存")
    expect(rows).to_have_count(ROWS)
    publisher.press("删除", rows.nth(ROWS - 1))
    publisher.answer("取消")
    expect(rows).to_have_count(ROWS)
    publisher.press("删除", rows.nth(ROWS - 1))
    publisher.answer("确定")
    rows.nth(1).get_by_label("进口数量").fill("2500")
    publisher.turn_over("保存")
    expect(rows).to_have_count(ROWS - 1)
    expect(rows.nth(1).get_by_label("进口数量")).to_have_value("2500")
    expect(rows.nth(3).get_by_label("规格型号")).to_have_value("10 英寸 第 4 卷")
    expect(page.locator("tr.inline-row .position").nth(ROWS - 2)).to_have_text(str(ROWS - 1))


def uploads_the_files(publisher: Person, make_pdf: MakePdf) -> None:
    """手册 第一章·上传附件: progress is seen, a wrong kind is refused with a sentence, typed text stays."""
    page = publisher.page
    page.get_by_label("联系人").fill("王敏")
    publisher.attach("licence", 许可证=b"MZ\x90\x00 no paper at all")
    refusal = page.locator("#file-licence").get_by_role("alert")
    expect(refusal).to_have_text("文件“许可证.pdf”不是 PDF、JPEG、PNG 或 TIFF，不能作为附件，请转换格式后上传。")
    slow(publisher, 200_000)
    publisher.attach("licence", 许可证=make_pdf(random.Random(0).randbytes(100_000).hex()))
    line = page.locator("#file-licence .upload-line")
    expect(line).to_contain_text(re.compile(r"许可证\.pdf\s+\d+%"))
    expect(line).to_have_count(0)
    slow(publisher, -1)
    expect(refusal).to_be_hidden()
    for kind in ("application_form", "sample"):
        publisher.attach(kind, **{REQUIRED[kind]: make_pdf(kind)})
    for kind in ("licence", "application_form", "sample"):
        expect(page.locator(f"#file-{kind} .files li")).to_have_count(1)
    expect(page.get_by_label("联系人")).to_have_value("王敏")


def slow(publisher: Person, rate: int) -> None:
    """Limit the upload rate to this many bytes a second; -1: no limit."""
    line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate}
    publisher.context.new_cdp_session(publisher.page).send("Network.emulateNetworkConditions", line)


def sees_everything_that_is_missing(publisher: Person) -> None:
    """小提示: 带有*号的字段为必填项，否则无法进行提交; all missing fields are listed at once, with links."""
    page = publisher.page
    for field in ("contact", "title"):
        page.locator(f"#{field}").fill("")
    page.get_by_role("button", name="清除国别（地区）").click()
    publisher.agree("申报")
    missing = page.locator("#missing")
    expect(missing.get_by_role("link")).to_have_text(
        ["请填写商品名称。", "请填写国别（地区）。", "请填写联系人。", "请上传境外加工合同。"]
    )
    missing.get_by_role("link", name="请填写联系人。").click()
    expect(page.locator("#contact")).to_be_focused()
    page.keyboard.type("王敏")
    missing.get_by_role("link", name="请填写商品名称。").click()
    expect(page.locator("#title")).to_be_focused()
    page.keyboard.type(TITLE)
    missing.get_by_role("link", name="请填写国别（地区）。").click()
    page.keyboard.type("德国")
    page.keyboard.press("Enter")
    expect(page.locator("#country")).to_have_value("DEU-德国")


def submits(publisher: Person, make_pdf: MakePdf) -> None:
    """手册 第一章: 附件上传完成后，点击申报按钮，系统给出相关提示信息; 取消 leaves everything as it was."""
    page = publisher.page
    publisher.attach("contract", 境外加工合同=make_pdf("contract"))
    expect(page.locator("#file-contract .files li")).to_have_count(1)
    expect(page.locator(".box.wrong")).to_have_count(0)
    expect(page.get_by_text("请上传境外加工合同。")).to_have_count(0)
    publisher.press("申报")
    expect(page.get_by_role("dialog")).to_contain_text("申报后在审核结束前不能修改")
    publisher.answer("取消")
    expect(page.locator("#title")).to_have_value(TITLE)
    publisher.agree("申报")
    page.wait_for_url("**/applications/details/**")


def sees_it_waiting(publisher: Person, number: str) -> None:
    """手册 第二章: 待审核 is read-only; each refused act is shown disabled, with its reason."""
    page = publisher.page
    expect(page.locator("h1")).to_contain_text(f"{number} 待审核")
    for act in ("申报", "删除", "打印"):
        button = page.locator("main").get_by_role("button", name=act, exact=True)
        expect(button).to_have_attribute("aria-disabled", "true")
        button.dispatch_event("click")
        expect(page.get_by_role("dialog")).to_contain_text(f"当前状态为「待审核」，不能{act}")
        publisher.answer("确定")
    expect(page.locator("main input:visible, main textarea:visible")).to_have_count(0)


def corrects_it(publisher: Person, opinion: str) -> None:
    """手册 第二章: 退回 can be edited and submitted again; the opinion is shown above the form."""
    page = publisher.page
    page.get_by_role("link", name="查询").click()
    publisher.row("退回").get_by_role("link", name="SQ").click()
    expect(page.locator(".opinion")).to_contain_text(opinion)
    assert above(publisher, ".opinion", "#application")
    page.locator("#title").fill(CORRECTED)
    publisher.agree("申报")
    expect(page.locator("h1")).to_contain_text("待审核")
    expect(page.locator(".opinion")).to_have_count(0)


def above(person: Person, upper: str, lower: str) -> bool:
    """Whether the element `upper` ends above the top of `lower`, or at it (selectors)."""
    person.page.wait_for_load_state()
    bottom_and_top = """([upper, lower]) => [document.querySelector(upper).getBoundingClientRect().bottom,
        document.querySelector(lower).getBoundingClientRect().top]"""  # at one moment: a page may still be moving
    bottom, top = person.page.evaluate(bottom_and_top, [upper, lower])
    return bool(bottom <= top)


def prints_it(publisher: Person, number: str) -> bytes:
    """手册 第二章·打印: 选中一条数据，点击界面上打印按钮."""
    page = publisher.page
    page.get_by_role("link", name="查询").click()
    row = publisher.row(number)
    expect(row).to_contain_text("已备案")
    row.get_by_role("checkbox").check()
    return publisher.opened(page.locator(".bar").get_by_role("button", name="打印"))


def signs_out(publisher: Person, number: str) -> None:
    """手册 第四篇: 点击界面右上角退出标志，可安全退出系统; 后退 shows nothing of what was there."""
    page = publisher.page
    expect(page.get_by_text(number)).to_be_visible()
    publisher.press("退出", page.locator("header"))
    expect(page.get_by_role("status")).to_have_text("已安全退出。")
    page.go_back()
    expect(page.get_by_role("heading", name="用户登录")).to_be_visible()
    expect(page.get_by_text(number)).to_have_count(0)
