"""Role × status × act through the screens: what the manual's table allows happens once, the rest is refused."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask
from markupsafe import escape

from models import access
from models.application import Application, lease
from models.vocabulary import Action, Role, Status
from models.workflow import refusal
from tests.browsing import Browser, ClientAs
from tests.cast import account_of, make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.models.matrix import CELLS, LEADS_TO, LEASE_HOLDERS, LETTERS
from tests.views.ledger import ledger
from tests.views.pages import flashed
from tests.views.screens.acts_done import SCREENS, WORDS, act, sees

ACTS = [action for action in Action if action is not Action.EDIT]
OWN_DOOR = {"copy": ["applications"], "duplicate": ["applications"]}  # acts that are not on every screen
TAKES_WORDS = {"return", "decline", "refuse", "extend", "revoke"}  # refused, they give back what was written
SENT_TO_CUSTOMS = {"grant", "resend", "revoke"}


DONE = {
    "submit": "已申报",
    "withdraw": "已撤回",
    "return": "已退回",
    "decline": "已不予受理",
    "refuse": "已不予备案",
    "extend": "已延期",
    "take": "由您办理，其他审核人员可以查看。",
    "take_over": "已由您接手办理，对方已收到消息。",
    "put_back": "已放回，其他审核人员可以接办。",
    "grant": "已准予备案",
    "resend": "已重发",
    "revoke": "已作废",
}


def sentences(browser: Browser, screen: str, key: int) -> list[str]:
    """The messages of the next page."""
    return flashed(browser.get(f"/{screen}/details/?id={key}").text)


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_every_forbidden_act_is_refused_with_its_message(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, cast: SimpleNamespace, status: Status
) -> None:
    """ST2: a forced POST by every role on every screen of theirs: one sentence, and not one row changed."""
    key = make_application(status=status)
    browsers = {role: client_as(role) for role in LETTERS}
    for role, screens in SCREENS.items():
        browsers[role].get(f"/{screens[0]}/details/?id={key}")  # a first look of the province is recorded
    before = ledger(app)
    for role, screens in SCREENS.items():
        refused = [action for action in ACTS if LETTERS[role] not in CELLS[status, action]]
        for screen in screens:
            there = [action for action in refused if sees(role, status) and screen in OWN_DOOR.get(action, [screen])]
            answers = {action: act(browsers[role], screen, action, key) for action in refused}
            found = {action: refusal(action, status, Role(role)) or "" for action in there}
            for action, answer in answers.items():
                code = 404 if action not in there else 409 if action in TAKES_WORDS else 303
                assert answer.status_code == code, action
                assert code != 409 or (escape(found[action]) in answer.text and WORDS in answer.text)
            if sees(role, status):
                flashed = [sentence for action, sentence in found.items() if action not in TAKES_WORDS]
                assert sentences(browsers[role], screen, key) == flashed
    for screen in ("applications", "review", "filings", "register"):
        answers = {action: act(browsers["operator"], screen, action, key).status_code for action in ACTS}
        assert answers == {action: 403 if screen in OWN_DOOR.get(action, [screen]) else 404 for action in ACTS}
    after = ledger(app)
    if status is Status.PENDING:  # words that came with 放回 or 接手 stay for whoever wrote them
        assert [(row[4], row[6]["opinion"]) for row in after["typed_form"]] == [(cast.reviewer, WORDS)]
        after["typed_form"] = []
    assert after == before


ALLOWED = [
    (status, action, role)
    for (status, action), letters in CELLS.items()
    for role in SCREENS
    if LETTERS[role] in letters and action != "edit"
]


@pytest.mark.slow
@pytest.mark.parametrize(("status", "action", "role"), ALLOWED)
def test_every_allowed_act_sent_repeatedly_happens_once(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    add_colleague: Callable[..., None],
    status: str,
    action: str,
    role: str,
) -> None:
    """AC4, ST3: one transition, one trail entry, one message to customs; the second POST changes nothing."""
    key, browser, screen = make_application(status=status), client_as(role), SCREENS[role][-1]
    if action == "print":
        make_papers(app)
    if action in LEASE_HOLDERS:
        add_colleague("second", like="reviewer")
        with app.app_context(), access.everything() as session:
            lease.begin(session, session.get_one(Application, key), account_of(LEASE_HOLDERS[action]), 30)
            session.commit()
    before = stored_rows(key)
    assert act(browser, screen, action, key).status_code == 303
    after = stored_rows(key)
    if action == "duplicate":  # a new application each time, of which the old one knows nothing
        assert after == before and "/applications/edit/?id=" in act(browser, screen, action, key).location
        return
    assert after["application"][0]["status"] == LEADS_TO.get(action, status)
    assert [entry["act"] for entry in after["trail_entry"][len(before["trail_entry"]) :]] == [action]
    assert len(after["customs_message"]) - len(before["customs_message"]) == (action in SENT_TO_CUSTOMS)
    assert len(after["certificate"]) - len(before["certificate"]) == (action == "grant")
    again = act(browser, screen, action, key)
    if action == "print":  # a print; each one is recorded
        assert again.location == f"/{screen}/certificate/?id={key}"
        return
    if action == "copy":  # a new application each time; the old one tells of both
        assert "/applications/edit/?id=" in again.location
        return
    record = stored_rows(key)
    if action == "extend":  # the case waits still: the words of the refused are there for whoever wrote them
        assert [typed["fields"]["opinion"] for typed in record["typed_form"]] == [WORDS]
        record["typed_form"] = []
    assert record == after
    if action == "delete":
        assert again.status_code == 404
        return
    if action == "extend":  # the status stays, and a second extension is refused
        assert again.status_code == 409 and "延期" in again.text
        return
    if action in ("take", *LEASE_HOLDERS):  # the status stays: who has the case decides
        found = sentences(browser, screen, key)
        assert (len(found), found[0].endswith(DONE[action]), "不" in found[1]) == (2, True, True)
        return
    found = refusal(Action(action), Status(LEADS_TO[action]), Role(role)) or ""
    done = DONE[action]
    assert sentences(browser, screen, key) == ([done] if action in TAKES_WORDS else [done, found])
    assert action not in TAKES_WORDS or (again.status_code == 409 and escape(found) in again.text)


@pytest.mark.slow
def test_the_reviewer_of_the_province_decides_from_the_queue_as_well(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AC4: 待审核 and 全部申请 lead to the same acts."""
    for action in ("return", "decline", "refuse", "grant"):
        key = make_application(status="pending")
        assert act(client_as("reviewer"), "review", action, key).status_code == 303
        assert stored_rows(key)["application"][0]["status"] == LEADS_TO[action]


@pytest.mark.slow
def test_an_agent_may_act_on_applications_filed_for_a_publisher(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """AC4: an agent's account is a publisher's, for its own filings."""
    key = make_application(by="agent")
    assert act(client_as("agent"), "applications", "submit", key).status_code == 303
    assert stored_rows(key)["application"][0]["status"] == "pending"
    assert act(client_as("reviewer"), "review", "grant", key).status_code == 303
    make_papers(app)
    assert act(client_as("agent"), "applications", "print", key).location == f"/applications/certificate/?id={key}"


@pytest.mark.slow
def test_only_registered_act_names_can_be_posted(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """AD12: no method is reached by its name, and 编辑 is no act that a button posts."""
    key = make_application(status="pending")
    before = ledger(app)
    names = (
        "edit",
        "perform",
        "save",
        "saved",
        "GRANT",
        "Grant",
        "delete_model",
        "__class__",
        "准予备案",
        "grant/x",
        "x",
    )
    for role, screens in SCREENS.items():
        browser = client_as(role)
        for screen in screens:
            for name in names:
                answer = act(browser, screen, name, key)
                assert answer.status_code == 404, (screen, name)
    assert ledger(app) == before


NAMES = {"act": "resend", "what": "add", "answer": "end", "how": "stop"}  # of the routes that name what is done


@pytest.mark.slow
def test_every_post_without_a_body_gets_a_message_and_changes_nothing(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """ST7: every POST route of every screen, with an empty body, answers with a message and changes nothing."""
    key = make_application()
    before = ledger(app)
    browsers = {role: client_as(role) for role in LETTERS}
    for rule in app.url_map.iter_rules():
        screen, _dot, view = rule.endpoint.partition(".")
        if "POST" not in (rule.methods or ()) or not view or rule.endpoint == "applications.create_view":
            continue  # 保存 on a blank form makes a draft, which is what it is for
        role = next((role for role, screens in SCREENS.items() if screen in screens), "operator")
        action = "grant" if view == "together" else "submit"
        built = rule.build(NAMES | {"action": action} if rule.arguments else {})
        assert built is not None
        for query in ("", f"?id={key}", "?id=1"):
            answer = browsers[role].post(built[1] + query)
            assert answer.status_code in (303, 400, 403, 404, 409, 422), (rule.rule, answer.status_code)
    assert ledger(app) == before
