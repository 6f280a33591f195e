"""Every refusal that HTTP has a number for, as a page and as JSON, through the real server."""

import json
from typing import Any

import pytest

from tests.cast import PASSWORD
from tests.served.answers import check
from tests.served.rows import shared_rows
from tests.serving import Client, Server

ERRORS: list[tuple[int, str, str, dict[str, Any], str]] = [  # status, who, address, what is posted (GET: {}), sentence
    (400, "publisher", "/applications/upload/", {"kind": "nonsense"}, "提交的内容不完整或格式不对"),
    (401, "", "/applications/delete/", {"id": 1}, "登录已超时"),
    (403, "publisher", "/accounts/", {}, "当前账号没有这项权限"),
    (404, "publisher", "/applications/details/?id=99999999", {}, "没有找到这项资料：可能已经删除"),
    (404, "publisher", "/不存在/", {}, "没有找到这个页面或资料"),
    (405, "publisher", "/captcha.png", {"a": "b"}, "这个地址不能这样打开"),
    (409, "reviewer", "/filings/revoke/", {"id": 1, "opinion": "理由"}, "不能作废"),
    (422, "publisher", "/password", {"current": PASSWORD, "new": "a", "repeat": "b"}, "两次输入的新密码不一致"),
]


@pytest.mark.parametrize(("status", "who", "path", "posted", "sentence"), ERRORS)
def test_an_error_is_a_page_with_a_sentence_or_json_for_a_script(
    served: Server, status: int, who: str, path: str, posted: dict[str, Any], sentence: str
) -> None:
    """The same status and sentence for both; readers see no English text of the application."""
    client = served.client(who or None)
    if "id" in posted and who:
        posted = posted | {"id": shared_rows(served).applications["pending"]}
    for accepted in ("text/html", *(["application/json"] if status != 422 else [])):  # which is a form of its own
        answer = client.post(path, posted, Accept=accepted) if posted else client.get(path, Accept=accepted)
        check(path, answer)
        found = json.loads(answer.body)["message"] if accepted == "application/json" else answer.text
        assert (answer.status, sentence in found) == (status, True), found


def test_a_rate_limited_client_is_told_when_to_retry(served: Server) -> None:
    """429 with Retry-After, for this address and number alone; the two processes count apart."""
    number, guesser = shared_rows(served).certificates[0].number, Client(served)
    for _guess in range(2 * 10 + 1):
        answer = guesser.get(f"/verify/{number}?code=AAAA-BBBB-CCCC")
        check("/verify/", answer)
        if answer.status == 429:
            break
    assert (answer.status, "操作过于频繁" in answer.text) == (429, True)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert Client(served).get(f"/verify/{number}").status == 200
