"""What ends all access of an account at once asks first, and names what ends."""

import html
import re
from types import SimpleNamespace

from flask import Flask

from tests.browsing import ClientAs
from tests.cards import CardIssuer
from tests.cast import account_of
from tests.views.entrance.test_card_certificates import ON_SQLITE
from tests.views.entrance.test_card_certificates import issuer as issuer
from tests.views.pages import form_of

KEYS = "现有的接口密钥同时失效，仍需使用的须由本人重新生成。"


def make_key(client_as: ClientAs, username: str) -> None:
    client_as(username).post("/apikeys/make/", data={"name": "综合业务", "days": "90", "networks": ""})


def test_disabling_an_account_asks_and_enabling_or_making_one_does_not(
    client_as: ClientAs, cast: SimpleNamespace
) -> None:
    """The question stays with the stored state: also in a form that was refused and is shown again."""
    make_key(client_as, "reviewer")
    operator, address = client_as("operator"), f"/accounts/edit/?id={cast.reviewer}"

    def asked(page: str) -> list[str]:
        return [html.unescape(words) for words in re.findall(r'data-ask-off="([^"]*)"', page)]

    question = f"确定要停用 reviewer 吗？该账号将立即退出登录。{KEYS}"
    assert asked(operator.get(address).text) == [question]
    form = form_of(operator.get(address).text, "card-box")
    del form["active"]
    refused = operator.post(address, data=form | {"name": ""})
    assert (refused.status_code, asked(refused.text)) == (422, [question])
    assert asked(operator.get("/accounts/new/").text) == []
    assert operator.post(address, data=form).status_code == 302
    assert asked(operator.get(address).text) == [], "it is disabled now"


@ON_SQLITE
def test_binding_a_card_asks_and_keeps_the_operators_own_visit(
    webauthn_app: Flask, issuer: CardIssuer, client_as: ClientAs
) -> None:
    make_key(client_as, "reviewer")
    with webauthn_app.app_context():
        keys = {name: account_of(name).id for name in ("reviewer", "operator")}
    pages = {name: client_as("operator").get(f"/accounts/keys/?id={key}").text for name, key in keys.items()}
    asked = {name: re.findall(r'data-ask="(确定要为[^"]*)"', page) for name, page in pages.items()}
    assert asked == {
        "reviewer": [f"确定要为 reviewer 登记这张卡吗？该账号将立即退出登录。{KEYS}"],
        "operator": ["确定要为 operator 登记这张卡吗？除本次登录外，您的其他登录将立即结束。"],
    }
