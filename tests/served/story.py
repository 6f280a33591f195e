"""The life of a filing through the real server, act by act, as people do it."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, text

from models import access, clock
from models.application import Application, lease
from models.columns import written
from models.customs import CustomsMessage
from models.database import db
from models.log import LogEntry
from models.people.accounts import Account
from models.vocabulary import AttachmentKind, Role
from tests.cast import FIELDS, create_application, make_papers, small_pdf
from tests.served.answers import check
from tests.serving import Answer, Client, Server
from tests.views.pages import flashed, form_of

CARRIER = {"id": "", "specification": "12 英寸黑胶唱片", "quantity": "1,000", "unit": "010-张", "kind": "黑胶唱片"}


WAY_BACK = "/{screen}/?title=茉莉花&since=2020-01-01"


@dataclass
class Story:
    """The acts done so far: route, or route and act; every answer is checked.

    `logged`: the routes whose posts have added an entry to the log.
    """

    server: Server
    done: set[str] = field(default_factory=set)
    logged: set[str] = field(default_factory=set)

    def post(self, who: str | Client, path: str, status: int = 303, **fields: Any) -> Answer:
        """Post something that must succeed: asserts the status, and that the next page shows no refusal."""
        client = who if isinstance(who, Client) else self.server.client(who)
        before = self.last_entry()
        answer = client.post(path, fields)
        check(path, answer)
        assert answer.status == status, (path, answer.status, flashed(answer.text) if answer.body else answer.location)
        rule, values = self.server.app.url_map.bind("").match(path.partition("?")[0], "POST", return_rule=True)
        self.done.add(":".join((rule.endpoint, *values.values())))
        if self.last_entry() > before:
            self.logged.add(rule.endpoint)
        return answer

    def last_entry(self) -> int:
        """The id of the newest entry of the log."""
        with self.server.app.app_context(), access.everything() as session:
            return session.scalar(select(func.max(LogEntry.id))) or 0

    def act(self, who: str, screen: str, action: str, key: int, **fields: Any) -> Answer:
        """An act on an application, from a list with a Chinese query, to which the answer must redirect."""
        fields = {"opinion": "材料需要核对。", "url": WAY_BACK.format(screen=screen)} | fields
        answer = self.post(who, f"/{screen}/{action}/", id=key, **fields)
        assert action in ("print", "copy", "duplicate") or answer.location.startswith(f"/{screen}/?title=%E8%8C%89"), (
            answer.location
        )
        return answer

    def status(self, key: int) -> str:
        """The status of the application."""
        with self.server.app.app_context(), access.everything() as session:
            return str(session.get_one(Application, key).status)

    def message(self, key: int) -> int:
        """The newest message to customs about an application."""
        with self.server.app.app_context(), access.everything() as session:
            found = select(CustomsMessage.id).where(CustomsMessage.application_id == key).order_by(CustomsMessage.id)
            return session.scalars(found).all()[-1]


def filed_by_its_publisher(story: Story) -> int:
    """A blank form, saved; saved again, and by autosave; carriers and files; one file removed; submitted."""
    client = story.server.client("publisher")
    fields = {
        name: str(getattr(FIELDS[name], "value", FIELDS[name])) for name in written(Application) if name in FIELDS
    }
    form = form_of(client.get("/applications/new/").text) | fields
    form |= {f"carriers-0-{name}": value for name, value in CARRIER.items()}
    opened = story.post("publisher", "/applications/new/", 302, **form).location
    key = int(opened.rpartition("=")[2])
    story.post("publisher", opened, 302, **form_of(client.get(opened).text) | {"title": "茉莉花，再版"})
    autosaved = form_of(client.get(opened).text) | {"title": "自动保存的“茉莉花”"}
    story.post("publisher", f"/applications/autosave/?id={key}", 200, **autosaved)
    story.post("publisher", opened, 302, **autosaved)
    table = '规格型号,进口数量,单位\n“D9”光盘,"1,000",张\n'.encode("gb18030")
    page = story.post("publisher", f"/applications/carriers/preview/?id={key}", 200, file=(table, "清单“一”.csv"))
    story.post("publisher", f"/applications/carriers/take/?id={key}", **form_of(page.text, "card-box"))
    for kind in AttachmentKind:
        upload = {"id": key, "kind": kind.value, "file": (small_pdf(kind.value), f"{kind.label} “一”.pdf")}
        found = story.post("publisher", "/applications/upload/", 200, **upload)
    (number,) = re.findall(r'data-remove=\\?"(\d+)', found.text)
    story.post("publisher", "/applications/remove/", 200, id=key, attachment=number)
    story.act("publisher", "applications", "submit", key)
    story.act("publisher", "applications", "withdraw", key)
    story.act("publisher", "applications", "submit", key)
    assert story.status(key) == "pending"
    return key


def claim_and_release(story: Story, key: int) -> None:
    """接办, lease renewed, opinion typed, 放回; then 接手 of the case from a colleague who has taken it."""
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
    """Returned, submitted again, granted; printed by each role that may, alone and in a bundle."""
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


def resend_to_customs(story: Story) -> None:
    """A message that was set aside is released; one that customs rejected is sent again, from either screen."""
    aside, failed, failed_too = (
        create_application(story.server.app, "publisher", s) for s in ("filed", *["customs_failed"] * 2)
    )
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
    """A message that customs never answered: queried, set aside, settled by hand in both ways."""
    accepted, rejected = (create_application(story.server.app, "publisher", "filed") for _time in range(2))
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
    """作废, then 重新申请 and 复制新建, whose drafts are deleted."""
    story.act("reviewer", "filings", "revoke", key, reason="content")
    for way in ("copy", "duplicate"):
        copy = story.act("publisher", "applications", way, key).location
        story.act("publisher", "applications", "delete", int(copy.rpartition("=")[2]))
    assert story.status(key) == "revoked"


def refused_and_deleted(story: Story) -> None:
    """不予受理, 不予备案 with a ground of the law; the publisher deletes the refused application."""
    declined, refused = (create_application(story.server.app, "publisher", "pending") for _time in range(2))
    story.act("reviewer", "review", "decline", declined)
    story.act("reviewer", "review", "extend", refused)
    story.act("reviewer", "review", "refuse", refused, ground="4")
    story.act("publisher", "applications", "delete", refused)
    assert (story.status(declined), story.status(refused)) == ("not_accepted", "refused")
