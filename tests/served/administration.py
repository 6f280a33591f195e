"""Registers and settings of operator, publisher and province, through the real server."""

import re
from typing import Any

import pytest
from sqlalchemy import select, text

from models import access, clock
from models.database import db
from models.people.accounts import CODE_SIGNS, Entrustment, valid_credit_code
from tests import ROOT
from tests.cast import small_pdf
from tests.served.story import (
    Story,
)
from tests.serving import Answer, Client, Server
from tests.views.pages import form_of

MINE = "meine-Pass-2027"


def manage_registers(story: Story) -> None:
    """Organisation, entrustment, districts; an account, whose owner signs in, changes the password and signs out."""
    client = story.server.client("operator")

    def fill(where: str, **fields: Any) -> Answer:
        return story.post("operator", where, 302, **form_of(client.get(where).text, "card-box") | fields)

    body = "91440000567800303"
    code = next(body + sign for sign in CODE_SIGNS if valid_credit_code(body + sign))
    unit = {"credit_code": code, "name": "广州光盘公司", "trade": "agent", "province": "440000"}
    fill("/organisations/new/", **unit, active="y")
    for name in ("江苏文艺音像总社", "江苏文艺音像出版社"):
        fill("/organisations/edit/?id=1", name=name)
    fill("/entrustments/new/", publisher=2, agent=3, since="2026-01-01", until="2027-12-31")
    fill("/entrustments/edit/?id=1", until="2098-12-31")
    table = (ROOT / "models/codes/district.csv").read_text(encoding="utf-8")
    more = (f"{table}9999,演示关区\n".encode("gb18030"), "关区代码.csv")
    preview = story.post("operator", "/districts/import/", 200, file=more)
    story.post("operator", "/districts/import/confirm/", **form_of(preview.text, "confirm-import"))
    page = client.get(
        fill("/accounts/new/", username="newcomer", name="钱多", role="national", active="y").location
    ).text
    (password,) = re.findall(r"的一次性密码：(\S+)（", page)
    for name in ("王小敏", "王敏"):
        fill("/accounts/edit/?id=1", name=name)
    newcomer = Client(story.server)
    newcomer.sign_in("newcomer", password)
    assert newcomer.get("/register/").location == "/password"
    story.post(newcomer, "/password", current=password, new=MINE, repeat=MINE)
    story.post(newcomer, "/logout")
    story.done.add("login")  # by `sign_in`, for everybody of the story
    story.post("operator", "/accounts/reset/", id=newest_account(story.server))


def entrusted_by_a_publisher(story: Story) -> None:
    """委托: invited by the publisher, accepted and ended by the unit."""
    form = form_of(story.server.client("publisher2").get("/entrusting/new/").text, "card-box")
    unit = form | {"agent": "广州光盘公司", "since": "2026-01-01", "until": "2027-12-31"}
    story.post("publisher2", "/entrusting/new/", 302, **unit)
    unit |= {"agent": "南京光盘进出口有限公司", "since": "2040-01-01", "until": "2040-12-31"}
    story.post("publisher2", "/entrusting/new/", 302, **unit)
    with story.server.app.app_context(), access.everything() as session:
        key = session.scalars(select(Entrustment.id).order_by(Entrustment.id.desc())).first()
    for answer in ("accept", "end"):
        story.post("agent", f"/entrusting/{answer}/", 303, id=key)


def limits_and_working_days(story: Story) -> None:
    """A province's limits, a stock opinion; a day of the calendar entered and removed, and the days of a notice."""
    form = form_of(story.server.client("reviewer").get("/province/").text, "card-box")
    story.post("reviewer", "/province/", 302, **form | {"decide_days": "15"})
    story.post("reviewer", "/province/opinions/add/", 302, act="return", words="材料不全。")
    story.post("operator", "/calendar/new/", 302, day="2026-12-25", kind="off", name="临时放假")
    with story.server.app.app_context(), db.engine.connect() as connection:
        key = connection.scalar(text("SELECT id FROM calendar_day WHERE day = '2026-12-25'"))
    story.post("operator", "/calendar/remove/?day=2026-12-25", id=key)
    days = "日期,类别,节日名称\r\n2027-01-01,放假,元旦\r\n2027-02-20,上班,春节\r\n".encode("gb18030")
    preview = story.post("operator", "/calendar/import/", 200, file=(days, "2027.csv"))
    story.post("operator", "/calendar/import/confirm/", **form_of(preview.text, "confirm-import") | {"checked": "y"})


def announced_and_read(story: Story) -> None:
    """通知公告: published, changed, read and withdrawn; 全部标为已读; an address for e-mails."""
    today = str(clock.today())
    given = {"title": "系统维护", "text": "本周六停机。", "roles": "publisher", "since": today, "until": today}
    story.post("operator", "/announcements/new/", 302, **given)
    with story.server.app.app_context(), db.engine.connect() as connection:
        key = connection.scalar(text("SELECT max(id) FROM announcement"))
    form = form_of(story.server.client("operator").get(f"/announcements/edit/?id={key}").text, "card-box")
    story.post("operator", f"/announcements/edit/?id={key}", 302, **form | given | {"title": "改期"})
    assert "改期" in story.server.client("publisher").get("/messages/").text
    story.post("publisher", "/messages/read-all/", 303)
    story.post("operator", "/announcements/withdraw/", id=key)
    story.post("reviewer", "/messages/feed/renew/")
    story.post("reviewer", "/messages/feed/stop/")
    story.post("publisher", "/messages/mail/", 302, email="wang@example.cn", mail_wish="daily")
    story.post("publisher", "/messages/mail/confirm/", 422, code="000000")


def manage_saved_queries(story: Story) -> None:
    """常用查询: saved from a list, renamed, deleted."""
    client = story.server.client("national")
    form = form_of(client.get("/register/?title=茉莉花&page_size=50").text, "save-query")
    story.post("national", "/queries/keep/", **form | {"name": "《茉莉花》"})
    (key,) = re.findall(r'/queries/ask/\?id=(\d+)"[^>]*>《茉莉花》', client.get("/register/").text)
    where = f"/queries/edit/?id={key}"
    story.post("national", where, 302, **form_of(client.get(where).text, "card-box") | {"name": "茉莉花"})
    (remove,) = re.findall(rf'value="{key}" formaction="(/queries/remove/[^"]+)"', client.get("/queries/").text)
    story.post("national", remove, id=key)


def blank_forms_offered(story: Story) -> None:
    """空白表格: uploaded, downloaded by a publisher, replaced, removed."""
    for name in ("申请表.pdf", "申请表“新”.pdf"):
        file = {"kind": "application_form", "version": blank_seen(story), "file": (small_pdf(name), name)}
        story.post("operator", "/blanks/keep/", **file)
        answer = story.server.client("publisher").get("/applications/blank/?kind=application_form")
        assert (answer.filename, answer.body) == (name, small_pdf(name))
    story.post("operator", f"/blanks/remove/?version={blank_seen(story)}", id="application_form")


def blank_seen(story: Story) -> str:
    """The version of 备案申请表 that the operator sees; 0 for none."""
    page = story.server.client("operator").get("/blanks/").text
    (version,) = re.findall(r'value="application_form"><input type="hidden" name="version" value="(\d+)"', page)
    return str(version)


def sessions_ended(story: Story) -> None:
    """End one's own session in another browser, another account's as operator, and the delay after wrong passwords."""
    one, other = Client(story.server), Client(story.server)
    for browser in (other, one):
        browser.sign_in("publisher2")
    story.post(one, "/visits/end/")
    assert other.get("/desk/").location.startswith("/login")
    with story.server.app.app_context(), db.engine.connect() as connection:
        visit = connection.scalar(text("SELECT max(id) FROM visit"))
        account = connection.scalar(text("SELECT account_id FROM visit ORDER BY id DESC LIMIT 1"))
    story.post("operator", "/online/end/", id=visit)
    assert one.get("/desk/").location.startswith("/login")
    for _time in range(5):
        with pytest.raises(AssertionError, match="用户名或密码不正确"):
            one.sign_in("publisher2", "not-the-Pass-1")
    story.post("operator", "/online/unlock/", id=account)
    one.sign_in("publisher2")


def newest_account(server: Server) -> int:
    with server.app.app_context(), db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT max(id) FROM account")) or 0)
