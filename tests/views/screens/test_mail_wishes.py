"""The wish for e-mails, on the screen of messages."""

import pytest
from flask import Flask

from tests.browsing import ClientAs
from tests.cast import account_of
from tests.views.pages import complaints, flashed, form_of


def test_the_e_mail_preference_is_saved_and_shown(app: Flask, client_as: ClientAs) -> None:
    publisher = client_as("publisher")
    assert "/messages/mail/" not in publisher.get("/messages/").text
    assert "目前没有开通邮件" in publisher.get("/messages/mail/").text
    app.config.update(SMTP="127.0.0.1:25", SMTP_FROM="filing@example.cn")
    assert "/messages/mail/" in publisher.get("/messages/").text
    form = form_of(publisher.get("/messages/mail/").text, "card-box")
    assert form == {"email": "", "mail_wish": "none"}
    publisher.post("/messages/mail/", data=form | {"email": " wang@example.cn ", "mail_wish": "each"})
    page = publisher.get("/messages/mail/").text
    assert flashed(page) == ["已保存。确认码正在发送到 wang@example.cn，输入后该邮箱才开始接收提醒。"]
    assert form_of(page, "card-box") == {"email": "wang@example.cn", "mail_wish": "each"}
    publisher.post("/messages/mail/", data={"email": "wang@example.cn", "mail_wish": "each"})  # sends no other code
    again = "已保存。此前发送到 wang@example.cn 的确认码仍然有效；没有收到的，请点击“重新发送”。"
    assert flashed(publisher.get("/messages/mail/").text) == [again]
    assert form_of(client_as("publisher2").get("/messages/mail/").text, "card-box") == form


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
def test_an_invalid_address_or_preference_has_an_error_and_stays_as_typed(
    app: Flask, client_as: ClientAs, typed: dict[str, str], sentence: str
) -> None:
    answer = client_as("publisher").post("/messages/mail/", data=typed)
    assert answer.status_code == 422
    assert sentence in complaints(answer.text)[0]
    with app.app_context():
        assert account_of("publisher").email is None
