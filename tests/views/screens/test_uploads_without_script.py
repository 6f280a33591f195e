"""上传附件 and 移除 of a browser without script: answered by the page of the application."""

import io
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from tests.browsing import ClientAs
from tests.cast import small_pdf
from tests.conftest import MakeApplication, MakePdf, StoredRows
from tests.views.pages import flashed
from tests.views.screens.test_attachments import current
from views.screens import attachments


def test_a_form_without_script_is_answered_by_the_page_of_the_application(
    client_as: ClientAs, make_application: MakeApplication, make_pdf: MakePdf, stored_rows: StoredRows
) -> None:
    """Several files at once: each is stored or refused by itself. Another unit's application is not found."""
    key, browser, plain = make_application(), client_as("publisher"), {"plain": "1"}
    files = [(io.BytesIO(content), name) for content, name in ((make_pdf("1"), "一.pdf"), (b"", "空.pdf"))]
    body = {"id": key, "kind": "other", "file": [*files, (io.BytesIO(make_pdf("2")), "二.pdf")]} | plain
    page = browser.post("/applications/upload/", data=body, follow_redirects=True).text
    assert flashed(page) == ["已上传 2 个文件。", "文件“空.pdf”是空的，请选择有内容的文件。"]
    assert current(stored_rows(key), "other") == ["一.pdf", "二.pdf"]
    first = next(row["id"] for row in stored_rows(key)["attachment"] if row["name"] == "一.pdf")
    body = {"id": key, "attachment": first} | plain
    assert client_as("publisher2").post("/applications/remove/", data=body).status_code == 404
    assert flashed(browser.post("/applications/remove/", data=body, follow_redirects=True).text) == ["已移除“一.pdf”。"]
    assert current(stored_rows(key), "other") == ["二.pdf"]


@pytest.mark.slow
def test_the_sentences_about_many_long_names_fit_into_the_session_cookie(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Browsers drop a cookie of more than 4,093 bytes, and the person would be signed out."""
    key, browser, chance = make_application(), client_as("publisher"), Random(0)
    names = ["".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _sign in range(83)) + ".pdf" for _file in range(16)]
    body = {"id": key, "kind": "other", "plain": "1", "file": [(io.BytesIO(b""), name) for name in names]}
    answer = browser.post("/applications/upload/", data=body)
    assert all(len(cookie) < 4093 for cookie in answer.headers.getlist("Set-Cookie"))
    told = flashed(browser.get(answer.location).text)
    assert [name in sentence for name, sentence in zip(names[:5], told[:5], strict=True)] == [True] * 5
    assert told[5:] == ["另有 11 个文件没有上传，请逐个上传。"]


@pytest.mark.parametrize("count", [1, 2])
def test_an_upload_without_script_to_a_draft_deleted_meanwhile_says_so(
    client_as: ClientAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """The file is not stored; no link leads back to the page of the deleted application."""
    key, browser = make_application(), client_as("publisher")
    attach, other_window = attachments.attach, client_as("publisher")

    def delete_first(*given: Any) -> Any:
        """As if the other window were quicker than the inspection of the file."""
        with ThreadPoolExecutor() as beside:
            beside.submit(other_window.post, "/applications/delete/", data={"id": key}).result()
        return attach(*given)

    monkeypatch.setattr(attachments, "attach", delete_first)
    body = {"id": key, "kind": "other", "plain": "1"}
    came_from = {"Referer": f"http://localhost/applications/edit/?id={key}"}
    for _time in ("deleted during the upload", "deleted before"):
        files = [(io.BytesIO(small_pdf(str(n))), f"{n}.pdf") for n in range(count)]
        answer = browser.post("/applications/upload/", data=body | {"file": files}, headers=came_from)
        assert answer.status_code == 404
        assert "可能已由同事或在另一个窗口中删除，文件没有保存。仍需办理的，请新建申请后重新上传。" in answer.text
        assert "返回上一页" not in answer.text and 'href="/applications/new/"' in answer.text
