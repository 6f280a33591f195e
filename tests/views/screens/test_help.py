"""操作说明: everybody reads there what each role does, act by act; its words and pictures cannot go stale."""

import re
from collections.abc import Set
from html import unescape
from io import BytesIO

import pytest
from PIL import Image

from models.vocabulary import Action, Role
from models.workflow import ACTS, MESSAGE_ACTS
from tests.browsing import ClientAs

CHAPTERS = ("publisher", "reviewer", "national", "operator")


def chapters(page: str) -> dict[str, str]:
    """The markup of each chapter by its id."""
    return dict(re.findall(r'<section class="card-box" id="(\w+)"(.*?)</section>', page, re.S))


def acts_in(chapter: str) -> Set[str]:
    return set(re.findall(r'data-act="(\w+)"', chapter))


@pytest.fixture
def page(client_as: ClientAs) -> str:
    return unescape(client_as("publisher").get("/help/").text)


def test_every_act_is_explained_in_the_chapter_of_its_role(page: str) -> None:
    """A new act fails this test until the page mentions it."""
    found = chapters(page)
    assert set(CHAPTERS) < set(found)
    for role in Role:
        theirs = {word.value for word, act in (*ACTS.items(), *MESSAGE_ACTS.items()) if role in act.by}
        assert acts_in(found[role]) == theirs, role
    for action in Action:
        assert f'<b data-act="{action.value}">{action.label}</b>' in page


def test_the_help_lists_the_permitted_acts_of_each_status(page: str) -> None:
    rows = dict(re.findall(r'<span class="badge badge-\w+">(\S+?)</span></td>(.*?)</tr>', page))
    assert "撤回、复制新建" in rows["待审核"] and "准予备案" in rows["待审核"]
    assert rows["退回"].count("—") == 1 and "编辑、申报" in rows["退回"]
    assert "打印、复制新建" in rows["海关接收成功"] and "打印、作废" in rows["海关接收成功"]
    assert "打印" not in rows["海关接收失败"] and "重发" in rows["海关接收失败"]


def test_pictures_and_links_of_the_help_work_for_every_role(client_as: ClientAs) -> None:
    """A link is shown to those who may open it; other roles see its text only."""
    for who in ("publisher", "reviewer", "national", "operator"):
        browser = client_as(who)
        page = unescape(browser.get("/help/").text)
        body = page[page.index('<div class="help">') :]
        for address in re.findall(r'<img src="([^"]+)"', body):
            answer = browser.get(address)
            assert (answer.status_code, answer.mimetype) == (200, "image/webp"), address
            assert Image.open(BytesIO(answer.data)).width >= 800
        links = set(re.findall(r'<a href="([^"]+)"', body))
        assert {link[1:] for link in links if link.startswith("#")} == set(chapters(page))
        for address in {link for link in links if link.startswith("/")}:
            assert browser.get(address).status_code == 200, (who, address)
    assert '<a href="/accounts/">账号</a>' in body and "<b>待审核</b>" in body


def test_help_is_linked_on_every_page_and_requires_sign_in(client_as: ClientAs) -> None:
    for who, page in (("publisher", "/applications/new/"), ("operator", "/accounts/"), ("national", "/desk/")):
        assert '<a class="top-link" href="/help/">帮助</a>' in client_as(who).get(page).text
    assert "/login" in (client_as(None).get("/help/").location or "")
