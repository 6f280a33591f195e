"""Every POST route through the real server: done once as people do it, and tried by everybody else."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from werkzeug.routing import Rule

from models import access, clock
from models.application import Application, lease
from models.columns import written
from models.customs import CustomsMessage
from models.database import db
from models.people.accounts import CODE_SIGNS, Account, Entrustment, valid_credit_code
from models.vocabulary import Action, AttachmentKind, Role
from tests import ROOT
from tests.cast import FIELDS, brought, make_papers, small_pdf
from tests.served.answers import check
from tests.served.keys_story import keys_enrolled_used_and_removed
from tests.served.rows import furnished
from tests.serving import Answer, Client, Server
from tests.views.entrance.doors import PEOPLE
from tests.views.pages import form_of, said

CARRIER = {"id": "", "specification": "12 英寸黑胶唱片", "quantity": "1,000", "unit": "010-张", "kind": "黑胶唱片"}
WAY_BACK = "/{screen}/?title=茉莉花&since=2020-01-01"
MINE = "meine-Pass-2027"


@dataclass
class Story:
    """What was done so far: route, or route and act; every answer is looked at."""

    server: Server
    done: set[str] = field(default_factory=set)

    def post(self, who: str | Client, path: str, status: int = 303, **fields: Any) -> Answer:
        """Do something that must succeed: the status, and no sentence of refusal on the next page."""
        client = who if isinstance(who, Client) else self.server.client(who)
        answer = client.post(path, fields)
        check(path, answer)
        assert answer.status == status, (path, answer.status, said(answer.text) if answer.body else answer.location)
        rule, values = self.server.app.url_map.bind("").match(path.partition("?")[0], "POST", return_rule=True)
        self.done.add(":".join((rule.endpoint, *values.values())))
        return answer

    def act(self, who: str, screen: str, action: str, key: int, **fields: Any) -> Answer:
        """An act on an application, from a list whose question is in Chinese, to which the answer leads back."""
        fields = {"opinion": "材料需要核对。", "url": WAY_BACK.format(screen=screen)} | fields
        answer = self.post(who, f"/{screen}/{action}/", id=key, **fields)
        assert action in ("print", "copy", "duplicate") or answer.location.startswith(f"/{screen}/?title=%E8%8C%89"), (
            answer.location
        )
        return answer

    def status(self, key: int) -> str:
        """How far the application has come."""
        with self.server.app.app_context(), access.everything() as session:
            return str(session.get_one(Application, key).status)

    def message(self, key: int) -> int:
        """The newest message to customs about an application."""
        with self.server.app.app_context(), access.everything() as session:
            found = select(CustomsMessage.id).where(CustomsMessage.application_id == key).order_by(CustomsMessage.id)
            return session.scalars(found).all()[-1]


def test_every_act_is_done_through_the_server(served: Server, routes: list[Rule]) -> None:
    """One filing from the blank form to its copy, one decision of each kind, all that the operator does, a password."""
    story = Story(served)
    key = filed_by_its_publisher(story)
    taken_and_put_back(story, key)
    decided_and_printed(story, key)
    told_to_customs(story)
    revoked_and_applied_for_again(story, key)
    refused_and_deleted(story)
    furnished(served)  # before the agent has a second press: its filings are made for the only one
    kept_by_the_operator(story)
    entrusted_by_a_press(story)
    limits_and_working_days(story)
    announced_and_read(story)
    queries_kept(story)
    blank_forms_offered(story)
    sessions_ended(story)
    keys_enrolled_used_and_removed(story)
    assert acts(routes) - story.done == set(), "a new act: tell here how people do it"


def acts(routes: list[Rule]) -> set[str]:
    """Every POST route, and each act of those that take one, where somebody may do it."""
    found = {rule.endpoint for rule in routes if "POST" in (rule.methods or ()) and not rule.arguments}
    found |= {f"{screen}.perform:{action}" for screen, actions in MAY.items() for action in actions}
    shut = {f"{screen}.{view}" for screen in ("review", "filings", "register") for view in ("create_view", "edit_view")}
    shut |= {"calendar.edit_view", "entrusting.edit_view", "queries.create_view"}
    return found - shut - {f"{screen}.{view}" for screen in SHUT for view in ("create_view", "edit_view")}


DECISIONS = {"return", "decline", "refuse", "extend", "grant"}
MAY = {
    "applications": {"submit", "withdraw", "delete", "print"},
    "review": DECISIONS | {"take", "take_over", "put_back"},
    "filings": {"print", "resend", "revoke"},
    "register": {"print"},
}
SHUT = (
    "exchange", "districts", "traffic", "province", "messages", "signins", "operations", "prints", "acts", "online",
)  # fmt: skip


def test_every_act_has_its_place_in_the_story() -> None:
    """A new act must be written into MAY, and so done above."""
    assert set().union(*MAY.values()) == {action.value for action in Action} - {"edit", "copy", "duplicate"}


def filed_by_its_publisher(story: Story) -> int:
    """A blank form, saved; saved again, and by itself; carriers and files; one file taken out; declared."""
    client = story.server.client("publisher")
    fields = {
        name: str(getattr(FIELDS[name], "value", FIELDS[name])) for name in written(Application) if name in FIELDS
    }
    form = form_of(client.get("/applications/new/").text) | fields
    form |= {f"carriers-0-{name}": value for name, value in CARRIER.items()}
    opened = story.post("publisher", "/applications/new/", 302, **form).location
    key = int(opened.rpartition("=")[2])
    story.post("publisher", opened, 302, **form_of(client.get(opened).text) | {"title": "茉莉花，再版"})
    kept = form_of(client.get(opened).text) | {"title": "自动保存的“茉莉花”"}
    story.post("publisher", f"/applications/autosave/?id={key}", 200, **kept)
    story.post("publisher", opened, 302, **kept)
    table = '规格型号,进口数量,单位\n“D9”光盘,"1,000",张\n'.encode("gb18030")
    page = story.post("publisher", f"/applications/carriers/preview/?id={key}", 200, file=(table, "清单“一”.csv"))
    story.post("publisher", f"/applications/carriers/take/?id={key}", **form_of(page.text, "card-box"))
    for kind in AttachmentKind:
        upload = {"id": key, "kind": kind.value, "file": (small_pdf(kind.value), f"{kind.label} “一”.pdf")}
        told = story.post("publisher", "/applications/upload/", 200, **upload)
    (number,) = re.findall(r'data-remove=\\?"(\d+)', told.text)
    story.post("publisher", "/applications/remove/", 200, id=key, attachment=number)
    story.act("publisher", "applications", "submit", key)
    story.act("publisher", "applications", "withdraw", key)
    story.act("publisher", "applications", "submit", key)
    assert story.status(key) == "pending"
    return key


def taken_and_put_back(story: Story, key: int) -> None:
    """接办, worked on, 放回; then it runs out for a colleague, and is 接手."""
    story.act("reviewer", "review", "take", key)
    for screen in ("review", "filings"):
        story.post("reviewer", f"/{screen}/renew/?id={key}", 200)
        story.post("reviewer", f"/{screen}/typed/?id={key}", 200, opinion="请核对“版号”。")
    story.act("reviewer", "review", "put_back", key)
    with story.server.app.app_context(), access.everything() as session:
        second = Account(username="second", name="李宁", role=Role.REVIEWER, province="320000", active=True)
        second.password_hash, second.must_change = "", False
        session.add(second)
        session.flush()
        lease.begin(session, session.get_one(Application, key), second, 30)
        session.commit()
    story.act("reviewer", "review", "take_over", key)


def decided_and_printed(story: Story, key: int) -> None:
    """Returned, declared again, granted; printed by each of its readers, alone and in a bundle."""
    story.act("reviewer", "review", "return", key)
    story.act("publisher", "applications", "submit", key)
    story.act("reviewer", "review", "grant", key)
    assert story.status(key) == "filed"
    story.post("publisher", "/applications/prepare/", 202, id=key)
    make_papers(story.server.app)
    for who, screen in (("publisher", "applications"), ("reviewer", "filings"), ("national", "register")):
        story.post(who, f"/{screen}/prepare/", 204, id=key)
        paper = story.server.client(who).get(story.act(who, screen, "print", key).location)
        assert paper.body.startswith(b"%PDF-")
        bundle = story.server.client(who).get(story.post(who, f"/{screen}/print-all/", pick=key).location)
        assert bundle.filename == f"备案证明合并打印件-{clock.today():%Y%m%d}.pdf"
        assert bundle.body.rstrip().endswith(b"%%EOF")
    story.post("reviewer", "/review/prepare/", 204, id=key)
    story.post("reviewer", "/review/print-all/", pick=key)
    page = story.post(Client(story.server), "/verify/", 200, file=(paper.body, "证明.pdf")).text
    assert "<h1>有效</h1>" in page


def told_to_customs(story: Story) -> None:
    """A message that was set aside is released; what customs did not take is told anew, from either screen."""
    aside, failed, failed_too = (brought(story.server.app, "publisher", s) for s in ("filed", *["customs_failed"] * 2))
    with story.server.app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text("UPDATE customs_message SET set_aside_at = queued_at WHERE id = :id"), {"id": story.message(aside)}
        )
    story.post("reviewer", "/exchange/release/", id=story.message(aside), url="/exchange/?number=一")
    story.post("reviewer", "/exchange/resend/", id=story.message(failed))
    settled_by_hand(story)
    story.act("reviewer", "filings", "resend", failed_too)
    assert story.status(failed_too) == "filed"


def settled_by_hand(story: Story) -> None:
    """What customs never answered: asked for again, set aside, settled by hand either way."""
    accepted, rejected = (brought(story.server.app, "publisher", "filed") for _time in range(2))
    for key in (accepted, rejected):
        values = {"id": story.message(key), "then": clock.now() - timedelta(days=30)}
        sent = "UPDATE customs_message SET attempts = 1, sent_in = 1, sent_at = :then, next_at = '2099-01-01' "
        with story.server.app.app_context(), db.engine.begin() as connection:
            connection.execute(text(sent + "WHERE id = :id"), values)
    message = story.message(accepted)
    story.post("reviewer", "/exchange/ask/", id=message)
    story.post("reviewer", "/exchange/set-aside/", id=message)
    words = {"opinion": "已电话向海关核实。", "url": f"/exchange/details/?id={message}"}
    story.post("reviewer", "/exchange/settle-accepted/", id=message, **words)
    story.post("reviewer", "/exchange/settle-rejected/", id=story.message(rejected), **words)
    assert (story.status(accepted), story.status(rejected)) == ("customs_received", "customs_failed")


def revoked_and_applied_for_again(story: Story, key: int) -> None:
    """作废, then 重新申请 and 复制新建 as copies, which are given up."""
    story.act("reviewer", "filings", "revoke", key, reason="content")
    for way in ("copy", "duplicate"):
        copy = story.act("publisher", "applications", way, key).location
        story.act("publisher", "applications", "delete", int(copy.rpartition("=")[2]))
    assert story.status(key) == "revoked"


def refused_and_deleted(story: Story) -> None:
    """不予受理, 不予备案 with a ground of the law; the publisher deletes what was refused."""
    declined, refused = (brought(story.server.app, "publisher", "pending") for _time in range(2))
    story.act("reviewer", "review", "decline", declined)
    story.act("reviewer", "review", "extend", refused)
    story.act("reviewer", "review", "refuse", refused, ground="4")
    story.act("publisher", "applications", "delete", refused)
    assert (story.status(declined), story.status(refused)) == ("not_accepted", "refused")


def kept_by_the_operator(story: Story) -> None:
    """Organisation, entrustment, districts; an account, whose owner comes in, changes the password and goes."""
    client = story.server.client("operator")

    def fill(where: str, **fields: Any) -> Answer:
        return story.post("operator", where, 302, **form_of(client.get(where).text, "card-box") | fields)

    body = "91440000567800303"
    code = next(body + sign for sign in CODE_SIGNS if valid_credit_code(body + sign))
    unit = {"credit_code": code, "name": "广州光盘公司", "trade": "agent", "province": "440000"}
    fill("/organisations/new/", **unit, active="y")
    fill("/organisations/edit/?id=1", name="江苏文艺音像出版社")
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
    fill("/accounts/edit/?id=1", name="王敏")
    newcomer = Client(story.server)
    newcomer.sign_in("newcomer", password)
    assert newcomer.get("/register/").location == "/password"
    story.post(newcomer, "/password", current=password, new=MINE, repeat=MINE)
    story.post(newcomer, "/logout")
    story.done.add("login")  # by `sign_in`, for everybody of the story
    story.post("operator", "/accounts/reset/", id=newest_account(story.server))


def entrusted_by_a_press(story: Story) -> None:
    """Invited, accepted, ended by the unit itself."""
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
    """A province's limits; a day of the calendar by hand and away again, and the days of a notice."""
    form = form_of(story.server.client("reviewer").get("/province/").text, "card-box")
    story.post("reviewer", "/province/", 302, **form | {"decide_days": "15"})
    story.post("operator", "/calendar/new/", 302, day="2026-12-25", kind="off", name="临时放假")
    with story.server.app.app_context(), db.engine.connect() as connection:
        key = connection.scalar(text("SELECT id FROM calendar_day WHERE day = '2026-12-25'"))
    story.post("operator", "/calendar/remove/", id=key)
    days = "日期,类别,节日名称\r\n2027-01-01,放假,元旦\r\n2027-02-20,上班,春节\r\n".encode("gb18030")
    preview = story.post("operator", "/calendar/import/", 200, file=(days, "2027.csv"))
    story.post("operator", "/calendar/import/confirm/", **form_of(preview.text, "confirm-import") | {"checked": "y"})


def announced_and_read(story: Story) -> None:
    """通知公告: published, changed, read and taken back; 全部标为已读; an address for e-mails."""
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


def queries_kept(story: Story) -> None:
    """常用查询: kept from a list, renamed, deleted."""
    client = story.server.client("national")
    form = form_of(client.get("/register/?title=茉莉花&page_size=50").text, "keep-query")
    story.post("national", "/queries/keep/", **form | {"name": "《茉莉花》"})
    (key,) = re.findall(r'/queries/ask/\?id=(\d+)"[^>]*>《茉莉花》', client.get("/register/").text)
    story.post("national", f"/queries/edit/?id={key}", 302, name="茉莉花")
    story.post("national", "/queries/remove/", id=key)


def blank_forms_offered(story: Story) -> None:
    """空白表格: uploaded, taken by a press, replaced, removed."""
    for version, name in enumerate(("申请表.pdf", "申请表“新”.pdf")):
        file = {"kind": "application_form", "version": version, "file": (small_pdf(name), name)}
        story.post("operator", "/blanks/keep/", **file)
        answer = story.server.client("publisher").get("/applications/blank/?kind=application_form")
        assert (answer.filename, answer.body) == (name, small_pdf(name))
    story.post("operator", "/blanks/remove/?version=2", id="application_form")


def sessions_ended(story: Story) -> None:
    """One's own of another browser, somebody's by the operator, and a pause after wrong passwords."""
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


@pytest.mark.parametrize("username", [*PEOPLE.values(), None])
def test_whatever_is_posted_by_whomever_the_answer_is_a_sentence(
    served: Server, routes: list[Rule], username: str | None
) -> None:
    """Every POST route × everybody, with the fields of every form and with none: no 5xx, and a silent server."""
    client, key = served.client(username), furnished(served).applications["deleted"]
    fields = {"id": key, "pick": key, "attachment": 1, "kind": "other", "opinion": "理由", "url": "/review/?title=二"}
    for rule in (
        rule for rule in routes if "POST" in (rule.methods or ()) and rule.endpoint not in ("logout", "login")
    ):
        act = "return" if rule.endpoint.endswith(".together") else "revoke"
        built = rule.build(
            {"action": act, "act": "resend", "what": "add", "how": "stop", "answer": "end"} if rule.arguments else {}
        )
        assert built
        for sent in ({}, fields, fields | {"file": (b"%PDF-1.4 broken", "坏的.pdf")}):
            if not (
                rule.endpoint == "applications.create_view" and username == "publisher"
            ):  # which would make a draft
                check(built[1], client.post(built[1], sent))
