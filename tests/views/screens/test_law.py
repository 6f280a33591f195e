"""What the law asks of 退回, 不予受理 and 不予备案, beside the opinion; and what the applicant may do after each."""

import re

import pytest
from flask import Flask
from markupsafe import Markup
from sqlalchemy import select

from models import access, customs
from models.notifications import Notification
from models.vocabulary import Action, Status
from models.workflow import advice
from tests.browsing import ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication
from views.translations import COOKIE

ASKED = {  # act → what the hint beside its opinion must contain
    "return": ("不是最终决定", "一次写明需要补正的全部内容", "第三十二条"),
    "decline": ("不属于本机关受理范围", "向哪个机关申请", "第三十二条"),
    "refuse": ("最终决定", "理由和依据", "行政复议", "第三十八条"),
    "extend": ("延期的理由", "第四十二条"),
}
MAY = {  # status → what the applicant reads
    "returned": ("补正后再次申报", "不是最终决定"),
    "not_accepted": ("不能再次申报", "该机关申请", "60 日内申请行政复议", "6 个月内提起行政诉讼"),
    "refused": ("不能再次申报", "另行申请", "60 日内申请行政复议", "6 个月内提起行政诉讼"),
}

UNDELIVERED = {  # status after the refusal of customs → what has happened, and what the applicant may do
    "customs_failed": ("海关没有接收本证明，", "请与省级主管部门联系，无需重复申报。"),
    "revoked": ("海关没有接收本证明的作废通知，", "本证明已经作废，请勿使用。"),
}


def assert_contains(text: str, wanted: tuple[str, ...]) -> None:
    assert [words for words in wanted if words not in text] == []


def test_the_dialog_of_list_and_page_has_a_hint_for_each_act_with_a_required_opinion(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    key, reviewer = make_application(status="pending"), client_as("reviewer")
    for page in (reviewer.get("/review/").text, reviewer.get(f"/review/details/?id={key}").text):
        hints = dict(re.findall(r'<p class="ask-law note" data-act="(\w+)" hidden>(.*?)</p>', page))
        assert set(hints) == set(ASKED)
        for act, wanted in ASKED.items():
            assert_contains(hints[act], wanted)


def test_the_page_of_a_case_has_the_hints_beside_the_opinion(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    page = client_as("reviewer").get(f"/review/details/?id={make_application(status='pending')}").text
    (beside,) = re.findall(r'<details class="decision-law">(.*?)</details>', page, re.DOTALL)
    hints = re.findall("<li>(.*?)</li>", beside)
    assert len(hints) == len(ASKED)
    for hint, wanted in zip(hints, ASKED.values(), strict=True):
        assert_contains(hint, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("status", MAY)
def test_the_applicant_reads_on_page_and_desk_what_may_be_done_after_the_act(
    client_as: ClientAs, make_application: MakeApplication, status: str
) -> None:
    key, publisher = make_application(status=status), client_as("publisher")
    assert_contains(publisher.get(f"/applications/details/?id={key}").text, MAY[status])
    desk = publisher.get("/desk/").text
    assert_contains(desk, MAY[status])
    assert "材料需要核对。" in desk
    assert MAY["refused"][0] not in client_as("publisher2").get("/desk/").text
    publisher.set_cookie(COOKIE, "en")
    assert_contains(Markup(publisher.get("/desk/").text).striptags(), (" again",))


def test_only_others_read_whom_the_advice_is_for(client_as: ClientAs, make_application: MakeApplication) -> None:
    key = make_application(status="returned")
    publisher, reviewer = client_as("publisher"), client_as("reviewer")
    assert "申请单位：请按意见补正" in reviewer.get(f"/filings/details/?id={key}").text
    for address in ("/desk/", f"/applications/details/?id={key}", f"/applications/edit/?id={key}"):
        page = publisher.get(address).text
        assert "请按意见补正" in page and "申请单位：" not in page, address
    reviewer.set_cookie(COOKIE, "en")
    assert "Applicant: Correct what the opinion" in Markup(reviewer.get(f"/filings/details/?id={key}").text).striptags()


@pytest.mark.slow
@pytest.mark.parametrize("status", ["customs_failed", "revoked"])
def test_each_reader_of_a_failed_delivery_reads_its_own_part_without_its_own_name(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, status: str
) -> None:
    """The applicant what it has to do alone; the province that, and what it has to do itself; the nation both."""
    key = make_application(status=status if status == "customs_failed" else "customs_received")
    if status == "revoked":
        perform_step(app, Action.REVOKE, key, "publisher")
        with app.app_context(), access.everything() as session:
            notice = customs.CustomsMessage.application_id == key, customs.CustomsMessage.act == Action.REVOKE
            customs.record_answer(session, False, "回执说明", *notice)
            session.commit()
    fact, own = UNDELIVERED[status]
    for who, screen, names in (
        ("publisher", "applications", []),
        ("reviewer", "filings", ["申请单位"]),
        ("national", "register", ["省级主管部门", "申请单位"]),
    ):
        (words,) = re.findall(f"<p>({fact}.*?)</p>", client_as(who).get(f"/{screen}/details/?id={key}").text)
        assert re.findall("(申请单位|省级主管部门)：", words) == names, who
        assert ("点击「重发」" in words) == (who != "publisher") and own in words, who
    publisher = client_as("publisher")
    publisher.set_cookie(COOKIE, "en")
    assert ". Contact the prov" in (page := publisher.get(f"/applications/details/?id={key}").text) or ". This" in page


@pytest.mark.slow
@pytest.mark.parametrize("status", ["not_accepted", "refused"])
def test_the_message_names_the_remedies(app: Flask, make_application: MakeApplication, status: str) -> None:
    key = make_application(status=status)
    with app.test_request_context(), access.everything() as session:
        asked = select(Notification).where(Notification.application_id == key).order_by(Notification.id.desc())
        message = session.scalars(asked).first()
        assert message is not None
        assert_contains(message.sentence, ("行政复议", "行政诉讼", "另行申请"))


def test_an_undecided_or_granted_application_has_no_such_advice() -> None:
    silent = {status for status in Status if not advice(status, None)}
    assert silent == {"draft", "pending", "filed", "customs_received", "revoked"}
