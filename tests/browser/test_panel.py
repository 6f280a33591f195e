"""The panel in a browser: confirmations, the toolbar, the keyboard, a phone, two tabs."""

from collections.abc import Callable

from playwright.sync_api import Dialog, Page, expect

from models.acts import taking
from models.application import Application
from models.database import db
from tests.browser.conftest import BrowseAs
from tests.browser.person import Person
from tests.conftest import ActAs, MakeApplication


def test_deleting_asks_for_confirmation_and_no_changes_nothing(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """手册 第二章·删除: 系统给出相关提示信息; only 确定 deletes, and a message says that it was done."""
    make_application()
    publisher = browse_as("publisher")
    row = publisher.row("暂存")
    publisher.press("删除", row)
    expect(publisher.page.get_by_role("dialog")).to_contain_text("确定要删除 SQ")
    publisher.answer("取消")
    expect(publisher.page.get_by_role("dialog")).to_be_hidden()
    publisher.page.reload()
    expect(row).to_have_count(1)
    publisher.press("删除", row)
    publisher.answer("确定")
    expect(publisher.page.locator(".alert-success")).to_contain_text("已删除")
    expect(row).to_have_count(0)


def test_escape_cancels_a_confirmation(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """Closing a dialog in any way other than 确定 does nothing."""
    make_application()
    publisher = browse_as("publisher")
    publisher.press("申报", publisher.row("暂存"))
    expect(publisher.page.get_by_role("dialog")).to_be_visible()
    publisher.page.keyboard.press("Escape")
    expect(publisher.page.get_by_role("dialog")).to_be_hidden()
    publisher.page.reload()
    expect(publisher.row("暂存")).to_have_count(1)


def test_the_toolbar_acts_on_the_picked_row(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """手册 第二章: 选中一条数据，点击界面上…按钮; if no row, or a forbidden one, is picked, the button says so."""
    make_application()
    make_application(status="pending", title="另一张唱片")
    publisher = browse_as("publisher")
    bar, dialog = publisher.page.locator(".bar"), publisher.page.get_by_role("dialog")
    submit = bar.get_by_role("button", name="申报")
    submit.dispatch_event("click")
    expect(dialog).to_contain_text("请先选择一条记录。")
    publisher.answer("确定")
    publisher.row("待审核").get_by_role("checkbox").check()
    submit.dispatch_event("click")
    expect(dialog).to_contain_text("当前状态为「待审核」，不能申报；「暂存」「退回」状态可以申报。")
    publisher.answer("确定")
    publisher.row("暂存").get_by_role("checkbox").check()
    submit.dispatch_event("click")
    expect(dialog).to_contain_text("一次只能对一条记录办理申报，请只选择一条。")
    publisher.answer("确定")
    publisher.row("待审核").get_by_role("checkbox").uncheck()
    expect(submit).to_have_attribute("aria-disabled", "false")
    publisher.press("申报", bar)
    publisher.answer("确定")
    expect(publisher.page.locator(".alert-success")).to_contain_text("已申报")
    expect(publisher.row("待审核")).to_have_count(2)


def test_the_question_about_ticked_rows_names_the_case_of_a_colleague_once(
    browse_as: BrowseAs, make_application: MakeApplication, act_as: ActAs, add_colleague: Callable[..., None]
) -> None:
    """The reason, that somebody else has taken it, begins with its number."""
    add_colleague("second", like="reviewer")
    key, _other = (make_application(status="pending", title=title) for title in ("昆曲《牡丹亭》", "评弹《珍珠塔》"))
    with act_as("second") as by:
        application = db.session.get_one(Application, key)
        taking.take(db.session(), application, by)
        number = application.number
        db.session.commit()
    page = browse_as("reviewer").page
    page.locator("#pick-all").check()
    page.locator("[data-bar=return]").click()
    expect(page.locator("#ask .ask-words")).to_contain_text("由second接办")
    assert page.locator("#ask .ask-words").inner_text().count(number) == 1


def test_a_query_needs_no_mouse(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """无障碍环境建设法 第三十二条: Tab reaches 商品名称 and 查询, the first Tab of all skips the menu, Enter asks."""
    make_application(title="昆曲《牡丹亭》")
    make_application(title="评弹《珍珠塔》")
    page = browse_as("publisher").page
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到正文")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("商品名称")).to_be_focused()
    page.keyboard.type("牡丹")
    for _step in range(10):
        page.keyboard.press("Tab")
        if page.locator(":focus").inner_text() == "查询":
            break
    page.keyboard.press("Enter")
    expect(page.locator("table.model-list tbody tr")).to_have_count(1)
    expect(page.locator("table.model-list tbody tr")).to_contain_text("昆曲《牡丹亭》")


def test_a_dialog_needs_no_mouse(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """Enter on an act opens the dialog; Enter there is 取消, because 申报 cannot be undone; Tab moves to 确定."""
    make_application()
    publisher = browse_as("publisher")
    button, dialog = publisher.row("暂存").get_by_role("button", name="申报"), publisher.page.get_by_role("dialog")
    button.focus()
    publisher.page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="取消")).to_be_focused()
    publisher.page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    publisher.page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="取消")).to_be_focused()
    publisher.page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="确定")).to_be_focused()
    publisher.page.keyboard.press("Enter")
    expect(publisher.row("待审核")).to_have_count(1)


def test_the_menu_opens_on_a_telephone(browse_as: BrowseAs) -> None:
    """390 px wide: the menu waits behind its button."""
    page = browse_as("publisher", width=390, height=800).page
    expect(page.get_by_role("navigation", name="主菜单")).to_be_hidden()
    page.get_by_role("button", name="菜单").click()
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="备案证明申请").click()
    expect(page.get_by_role("heading", name="备案证明申请")).to_be_visible()


def test_a_stale_form_shows_both_texts_and_loses_neither(
    browse_as: BrowseAs, make_application: MakeApplication
) -> None:
    """AD5: two tabs; the second save shows who saved first and both texts, and the person decides."""
    key = make_application(title="最初的名称")
    person = browse_as("publisher")
    first, second = person.page, person.context.new_page()
    for tab in (first, second):
        tab.goto(f"/applications/edit/?id={key}")
    save_title(first, "第一个窗口的名称")
    expect(first.locator(".alert-success")).to_be_visible()
    save_title(second, "第二个窗口的名称")
    expect(second.get_by_role("alert").first).to_contain_text("王敏（江苏文艺音像出版社）已于")
    expect(second.locator("#title")).to_have_value("第二个窗口的名称")
    expect(second.locator(".theirs")).to_have_text("已保存的内容：第一个窗口的名称")
    save_title(second, "商量之后的名称")
    expect(second.locator(".alert-success")).to_be_visible()
    first.reload()
    expect(first.locator("#title")).to_have_value("商量之后的名称")


def save_title(tab: Page, title: str) -> None:
    """Type another 商品名称 and save."""
    tab.locator("#title").fill(title)
    tab.get_by_role("button", name="保存").click()


def test_typed_words_are_not_left_by_accident(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """手册 第一章: leaving one part never loses another; a link away from unsaved words asks first."""
    key = make_application(title="最初的名称")
    page = browse_as("publisher").page
    page.goto(f"/applications/edit/?id={key}")
    page.locator("#title").fill("没有保存的名称")
    asked: list[str] = []

    def stay(question: Dialog) -> None:
        asked.append(question.type)
        question.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="返回列表").click()
    expect(page.locator("#title")).to_have_value("没有保存的名称")
    assert asked == ["beforeunload"]


def test_a_new_user_signs_in_with_a_one_time_password(browse_as: BrowseAs) -> None:
    """系统管理: the operator creates an account with a one-time password, which its owner must change first."""
    operator, newcomer = browse_as("operator"), browse_as()
    password = opens_an_account(operator, "xinren")
    newcomer.sign_in("xinren", password)
    page = newcomer.page
    expect(page.get_by_role("heading", name="修改密码")).to_be_visible()
    page.goto("/review/")
    expect(page.get_by_role("heading", name="修改密码")).to_be_visible()
    page.get_by_label("当前密码").fill(password)
    for label in ("新密码", "再输入一次新密码"):
        page.get_by_label(label, exact=True).fill("xin-Mima-2026")
    newcomer.turn_over("保存")
    expect(page.get_by_role("heading", name="工作台")).to_be_visible()
    newcomer.press("退出", page.locator("header"))
    newcomer.sign_in("xinren", "xin-Mima-2026")
    expect(page.get_by_role("heading", name="工作台")).to_be_visible()


def opens_an_account(operator: Person, username: str) -> str:
    """A reviewer of 浙江; the password that is shown once."""
    page = operator.page
    page.get_by_role("link", name="新建").click()
    page.get_by_label("用户名").fill(username)
    page.get_by_label("姓名").fill("钱江")
    operator.pick("role", "省级", "省级审核")
    operator.pick("province", "浙", "浙江省")
    operator.turn_over("保存")
    found = page.locator(".alert-warning").inner_text()
    assert found.startswith(f"{username} 的一次性密码：")
    page.reload()
    expect(page.get_by_text("一次性密码")).to_have_count(0)
    return found.split("：")[1].split("（")[0]


def test_a_draft_is_deleted_from_its_own_form(browse_as: BrowseAs, make_application: MakeApplication) -> None:
    """手册 第二章: the acts of the list are on the page as well; 打印 is disabled there with its reason."""
    key = make_application()
    publisher = browse_as("publisher")
    publisher.page.goto(f"/applications/edit/?id={key}")
    expect(publisher.page.locator(".foot").get_by_role("button", name="打印")).to_have_attribute(
        "aria-disabled", "true"
    )
    publisher.agree("删除", publisher.page.locator(".foot"))
    expect(publisher.page.locator(".alert-success")).to_contain_text("已删除")
    expect(publisher.row("暂存")).to_have_count(0)
