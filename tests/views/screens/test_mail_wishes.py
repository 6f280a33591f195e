"""The wish for e-mails, on the screen of messages."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.browsing import Browser
from tests.cast import account_of
from tests.views.pages import complaints, form_of, said

As = Callable[[str | None], Browser]


def test_the_wish_for_e_mails_is_kept_and_told(app: Flask, as_: As) -> None:
    press = as_("publisher")
    assert "/messages/mail/" not in press.get("/messages/").text
    assert "目前没有开通邮件" in press.get("/messages/mail/").text
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")
    assert "/messages/mail/" in press.get("/messages/").text
    form = form_of(press.get("/messages/mail/").text, "card-box")
    assert form == {"email": "", "mail_wish": "none"}
    page = press.post(
        "/messages/mail/", data=form | {"email": " wang@example.cn ", "mail_wish": "each"}, follow_redirects=True
    )
    assert said(page.text) == ["已保存。今后每条消息都会发送到 wang@example.cn。"]
    assert form_of(press.get("/messages/mail/").text, "card-box") == {"email": "wang@example.cn", "mail_wish": "each"}
    assert form_of(as_("publisher2").get("/messages/mail/").text, "card-box") == form


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": "", "mail_wish": "each"}, "请填写接收提醒的邮箱地址。"),
        ({"email": "wang", "mail_wish": "none"}, "邮箱地址不正确，请按 name@example.cn 的形式填写。"),
        ({"email": "a@b.cn\r\nBcc: c@d.cn", "mail_wish": "each"}, "邮箱地址不正确"),
        ({"email": "a@b.cn", "mail_wish": "hourly"}, "请从下拉列表中选择。"),
        ({"email": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.cn", "mail_wish": "each"}, "邮箱地址不正确"),
    ],
)
def test_what_cannot_be_an_address_or_a_wish_is_told_and_stays(
    app: Flask, as_: As, typed: dict[str, str], sentence: str
) -> None:
    answer = as_("publisher").post("/messages/mail/", data=typed)
    assert answer.status_code == 422
    assert sentence in complaints(answer.text)[0]
    with app.app_context():
        assert account_of("publisher").email is None
