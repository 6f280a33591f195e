"""Role × status × act through the screens: what the table of the manual allows happens once, all else is refused."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import access, clock
from models.application import Application, lease
from models.customs import CustomsMessage
from models.vocabulary import Action, Delivery, Role, Status, Step
from models.workflow import message_refusal, refusal
from tests.cast import account_of, make_papers
from tests.conftest import Browser, Making, Recording
from tests.models.matrix import CELLS, HELD_BY, LEADS_TO, LETTERS, MESSAGE_CELLS, SETTLED
from tests.views.ledger import ledger
from tests.views.pages import said

As = Callable[[str | None], Browser]
SCREENS = {"publisher": ["applications"], "reviewer": ["review", "filings"], "national": ["register"]}
ISSUED = {"filed", "customs_received", "customs_failed", "revoked"}
ACTS = [action for action in Action if action is not Action.EDIT]
OWN_DOOR = {"copy": ["applications"], "duplicate": ["applications"]}  # acts that are not on every screen
TAKES_WORDS = {"return", "decline", "refuse", "extend", "revoke"}  # refused, they give back what was written
WORDS = "材料需要核对。"
TELLS_CUSTOMS = {"grant", "resend", "revoke"}


def sees(role: str, status: str) -> bool:
    """Design 2.4: drafts are their owner's alone, the nation sees what has been issued."""
    return role == "publisher" or status in ISSUED or (role == "reviewer" and status != "draft")


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


def act(browser: Browser, screen: str, action: str, key: int, **more: Any) -> TestResponse:
    """One press of the button, with an opinion; the answer leads back to the details."""
    body = {"id": key, "opinion": WORDS, "url": f"/{screen}/details/?id={key}"} | more
    return browser.post(f"/{screen}/{action}/", data=body, headers={"Origin": "http://localhost"})


def sentences(browser: Browser, screen: str, key: int) -> list[str]:
    """What the next page tells."""
    return said(browser.get(f"/{screen}/details/?id={key}").text)


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_every_act_that_the_table_forbids_is_refused_with_its_sentence(
    app: Flask, as_: As, make_application: Making, status: Status
) -> None:
    """ST2: a forced POST by every role on every screen of theirs: one sentence, and not one row changed."""
    key = make_application(status=status)
    browsers = {role: as_(role) for role in LETTERS}
    for role, screens in SCREENS.items():
        browsers[role].get(f"/{screens[0]}/details/?id={key}")  # a first look of the province is recorded
    before = ledger(app)
    for role, screens in SCREENS.items():
        refused = [action for action in ACTS if LETTERS[role] not in CELLS[status, action]]
        for screen in screens:
            there = [action for action in refused if sees(role, status) and screen in OWN_DOOR.get(action, [screen])]
            answers = {action: act(browsers[role], screen, action, key) for action in refused}
            told = {action: refusal(action, status, Role(role)) or "" for action in there}
            for action, answer in answers.items():
                code = 404 if action not in there else 409 if action in TAKES_WORDS else 303
                assert answer.status_code == code, action
                assert code != 409 or (escape(told[action]) in answer.text and WORDS in answer.text)
            if sees(role, status):
                flashed = [sentence for action, sentence in told.items() if action not in TAKES_WORDS]
                assert sentences(browsers[role], screen, key) == flashed
    for screen in ("applications", "review", "filings", "register"):
        answers = {action: act(browsers["operator"], screen, action, key).status_code for action in ACTS}
        assert answers == {action: 403 if screen in OWN_DOOR.get(action, [screen]) else 404 for action in ACTS}
    assert ledger(app) == before


ALLOWED = [
    (status, action, role)
    for (status, action), letters in CELLS.items()
    for role in SCREENS
    if LETTERS[role] in letters and action != "edit"
]


@pytest.mark.slow
@pytest.mark.parametrize(("status", "action", "role"), ALLOWED)
def test_every_act_that_the_table_allows_happens_once_however_often_it_is_sent(
    app: Flask,
    as_: As,
    make_application: Making,
    on_record: Recording,
    colleague: Callable[..., None],
    status: str,
    action: str,
    role: str,
) -> None:
    """AC4, ST3: one transition, one trail entry, one message to customs; the second POST finds nothing left to do."""
    key, browser, screen = make_application(status=status), as_(role), SCREENS[role][-1]
    if action == "print":
        make_papers(app)
    if action in HELD_BY:
        colleague("second", like="reviewer")
        with app.app_context(), access.everything() as session:
            lease.begin(session, session.get_one(Application, key), account_of(HELD_BY[action]), 30)
            session.commit()
    before = on_record(key)
    assert act(browser, screen, action, key).status_code == 303
    after = on_record(key)
    if action == "duplicate":  # a new application each time, of which the old one knows nothing
        assert after == before and "/applications/edit/?id=" in act(browser, screen, action, key).location
        return
    assert after["application"][0]["status"] == LEADS_TO.get(action, status)
    assert [entry["act"] for entry in after["trail_entry"][len(before["trail_entry"]) :]] == [action]
    assert len(after["customs_message"]) - len(before["customs_message"]) == (action in TELLS_CUSTOMS)
    assert len(after["certificate"]) - len(before["certificate"]) == (action == "grant")
    again = act(browser, screen, action, key)
    if action == "print":  # a look; looking twice is told twice
        assert again.location == f"/{screen}/certificate/?id={key}"
        return
    if action == "copy":  # a new application each time; the old one tells of both
        assert "/applications/edit/?id=" in again.location
        return
    kept = on_record(key)
    if action == "extend":  # the case waits still: the words of the refused are there for whoever wrote them
        assert [typed["fields"]["opinion"] for typed in kept["typed_form"]] == [WORDS]
        kept["typed_form"] = []
    assert kept == after
    if action == "delete":
        assert again.status_code == 404
        return
    if action == "extend":  # the status stays, and a second extension is refused
        assert again.status_code == 409 and "延期" in again.text
        return
    if action in ("take", *HELD_BY):  # the status stays: who has the case decides
        told = sentences(browser, screen, key)
        assert (len(told), told[0].endswith(DONE[action]), "不" in told[1]) == (2, True, True)
        return
    told = refusal(Action(action), Status(LEADS_TO[action]), Role(role)) or ""
    done = DONE[action]
    assert sentences(browser, screen, key) == ([done] if action in TAKES_WORDS else [done, told])
    assert action not in TAKES_WORDS or (again.status_code == 409 and escape(told) in again.text)


@pytest.mark.slow
def test_the_reviewer_of_the_province_decides_from_the_queue_as_well(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """AC4: 待审核 and 全部申请 lead to the same acts."""
    for action in ("return", "decline", "refuse", "grant"):
        key = make_application(status="pending")
        assert act(as_("reviewer"), "review", action, key).status_code == 303
        assert on_record(key)["application"][0]["status"] == LEADS_TO[action]


@pytest.mark.slow
def test_the_agent_acts_on_what_it_files_for_the_press(
    app: Flask, as_: As, make_application: Making, on_record: Recording
) -> None:
    """AC4: an agent's account is a publisher's, for its own filings."""
    key = make_application(by="agent")
    assert act(as_("agent"), "applications", "submit", key).status_code == 303
    assert on_record(key)["application"][0]["status"] == "pending"
    assert act(as_("reviewer"), "review", "grant", key).status_code == 303
    make_papers(app)
    assert act(as_("agent"), "applications", "print", key).location == f"/applications/certificate/?id={key}"


@pytest.mark.slow
def test_an_act_is_known_by_its_name_in_the_register_of_acts(app: Flask, as_: As, make_application: Making) -> None:
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
        browser = as_(role)
        for screen in screens:
            for name in names:
                answer = act(browser, screen, name, key)
                assert answer.status_code == 404, (screen, name)
    assert ledger(app) == before


@pytest.mark.slow
def test_grounds_of_the_law_are_an_opinion_and_stand_in_the_trail(
    as_: As, make_application: Making, on_record: Recording
) -> None:
    """出版管理条例 第二十五条: the chosen grounds, in words, before the reviewer's own."""
    key = make_application(status="pending")
    browser = as_("reviewer")
    unsaid = act(browser, "review", "refuse", key, opinion="", ground=["99", ""])
    assert (unsaid.status_code, "不予备案须填写意见，请写明理由后再提交。" in unsaid.text) == (409, True)
    long = act(browser, "review", "refuse", key, opinion="长" * 2001, ground=["4"])
    assert "意见不能超过 2000 字" in long.text
    assert "长" * 2001 in long.text  # nothing that was written is lost
    assert act(browser, "review", "return", key, opinion="", ground=["4"]).status_code == 409  # no ground for that
    words = "第三首\0歌词有误。\r\n请核对。" + "长" * 1980
    act(browser, "review", "refuse", key, opinion=words, ground=["4", "9", "4"])
    assert on_record(key)["trail_entry"][-1]["opinion"] == (
        "依据《出版管理条例》第二十五条：煽动民族仇恨、民族歧视；危害社会公德或者民族优秀文化传统。\n第三首歌词有误。\n请核对。"
        + "长" * 1980
    )


@pytest.mark.slow
def test_an_act_that_takes_no_words_records_none(as_: As, make_application: Making, on_record: Recording) -> None:
    """A forged ground or opinion with 申报 or 准予备案 would stand in the history as if somebody had said it."""
    key = make_application()
    for who, screen, action in (("publisher", "applications", "submit"), ("reviewer", "review", "grant")):
        assert act(as_(who), screen, action, key, ground=["1"]).status_code == 303
    assert [entry["opinion"] for entry in on_record(key)["trail_entry"][-2:]] == [None, None]


@pytest.mark.slow
def test_after_a_return_the_reason_stands_until_it_is_declared_again_and_then_in_the_history(
    as_: As, make_application: Making
) -> None:
    """AD7, ST6: return → declare → return → declare, and each reason is live only while it is open."""
    key, publisher, reviewer = make_application(status="pending"), as_("publisher"), as_("reviewer")
    for reason in ("缺少授权书。", "合同号有误。"):
        act(reviewer, "review", "return", key, opinion=reason)
        live = publisher.get(f"/applications/edit/?id={key}").text
        assert f"<p>{reason}</p>" in live
        act(publisher, "applications", "submit", key, opinion="")
        page = publisher.get(f"/applications/details/?id={key}").text
        assert 'class="alert alert-warning opinion"' not in page
        assert f"<blockquote>{reason}</blockquote>" in page


@pytest.mark.slow
@pytest.mark.parametrize("status", list(Status))
def test_a_refused_button_stays_visible_dim_and_says_why(as_: As, make_application: Making, status: Status) -> None:
    """AC6: in the list and on the page, each button is lit exactly where the table allows the act."""
    key = make_application(status=status)
    for role, screens in SCREENS.items():
        if not sees(role, status):
            continue
        browser = as_(role)
        page = browser.get(f"/{screens[-1]}/").text + browser.get(f"/{screens[-1]}/details/?id={key}").text
        buttons = re.findall(r'<button type="submit" form="act"[^>]*data-act="(\w+)"[^>]*>', page)
        assert buttons
        for button in re.finditer(r'<button type="submit" form="act"[^>]*data-act="(\w+)"[^>]*>', page):
            dim = re.search(r'aria-disabled="true" title="([^"]+)"', button.group())
            allowed = LETTERS[role] in CELLS[status, button[1]]
            assert (dim is None) is allowed, (role, button[1])
            assert allowed or (dim and dim[1] == refusal(Action(button[1]), status, Role(role)))


NAMES = {"act": "resend", "what": "add", "answer": "end", "how": "stop"}  # of the routes that name what is done


@pytest.mark.slow
def test_no_button_needs_a_body_to_answer(app: Flask, as_: As, make_application: Making) -> None:
    """ST7: every POST route of every screen, with nothing in it, answers with a sentence and changes nothing."""
    key = make_application()
    before = ledger(app)
    browsers = {role: as_(role) for role in LETTERS}
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


def message_in(app: Flask, key: int, state: str, long: bool) -> int:
    """Bring the message about an application to this state, sent long ago or just now; its number."""
    sent = {"attempts": 1, "sent_in": 1, "sent_at": clock.now() - timedelta(days=30 * long)}
    sent["next_at"] = clock.now() + timedelta(hours=1)
    values = {"sent": sent, "set_aside": sent | {"set_aside_at": clock.now()}}.get(state, {})
    with app.app_context(), access.everything() as session:
        message = session.scalars(select(CustomsMessage).where(CustomsMessage.application_id == key)).one()
        for name, value in values.items():
            setattr(message, name, value)
        session.commit()
        assert message.state == state
        return message.id


OURS = {"Origin": "http://localhost"}  # what a page of ours sends, else nothing that was written is given back
BEGINS = {"accepted": "customs_received", "rejected": "customs_failed"}


@pytest.mark.slow
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("state", dict.fromkeys(state for state, _act in MESSAGE_CELLS))
def test_every_act_on_a_message_happens_once_or_is_refused_with_its_sentence(
    app: Flask, as_: As, make_application: Making, on_record: Recording, state: str, long: bool
) -> None:
    """In each state, sent long ago or just now: one transition, one trail entry; else nothing at all is changed."""
    for act in dict.fromkeys(act for _state, act in MESSAGE_CELLS):
        key = make_application(status=BEGINS.get(state, "filed"))
        message = message_in(app, key, state, long)
        body = {"id": message, "opinion": WORDS, "url": f"/exchange/details/?id={message}"}
        path, before = f"/exchange/{act.replace('_', '-')}/", ledger(app)
        for role, code in {"publisher": 403, "national": 403, "operator": 403, "reviewer2": 404}.items():
            assert as_(role).post(path, data=body).status_code == code
        assert ledger(app) == before
        if MESSAGE_CELLS[state, act] in ("R", "L") and (long or MESSAGE_CELLS[state, act] == "R"):
            _happens_once(as_("reviewer"), on_record, key, path, body, act)
            continue
        told = message_refusal(Step(act), Delivery(state), long, Role.REVIEWER) or ""
        answer = as_("reviewer").post(path, data=body, headers=OURS)
        assert (answer.status_code, escape(told) in answer.text, WORDS in answer.text) == (409, True, True)
        assert ledger(app) == before


def _happens_once(browser: Browser, on_record: Recording, key: int, path: str, body: dict[str, Any], act: str) -> None:
    before = on_record(key)
    if act in SETTLED:
        without = browser.post(path, data=body | {"opinion": " "}, headers=OURS)
        assert (without.status_code, on_record(key)) == (409, before)
    assert browser.post(path, data=body, headers=OURS).status_code == 303
    after = on_record(key)
    assert [entry["act"] for entry in after["trail_entry"][len(before["trail_entry"]) :]] == [act]
    begun, ended = SETTLED.get(act, ("filed", "filed"))
    assert (before["application"][0]["status"], after["application"][0]["status"]) == (begun, ended)
    assert after["customs_message"][0]["by_hand"] == (act in SETTLED)
    assert browser.post(path, data=body, headers=OURS).status_code == 409
    assert on_record(key) == after
