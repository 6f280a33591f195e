"""操作日志 has the cards that operators bind and remove."""

from flask import Flask
from sqlalchemy import select

from models import access
from models.log import LogEntry
from tests.browsing import ClientAs
from tests.cards import CardIssuer
from tests.cast import account_of
from tests.views.entrance.test_card_certificates import ON_SQLITE
from tests.views.entrance.test_card_certificates import issuer as issuer


@ON_SQLITE
def test_a_card_is_logged_when_an_operator_binds_and_removes_it(
    webauthn_app: Flask, issuer: CardIssuer, client_as: ClientAs
) -> None:
    operator = client_as("operator")
    with webauthn_app.app_context():
        key = account_of("reviewer").id
    operator.post("/accounts/cards/bind/", data={"id": key, "file": (issuer.issue("陈静").open("rb"), "卡.pem")})
    operator.post("/accounts/cards/remove/", data={"id": 1})
    with webauthn_app.app_context(), access.everything() as session:
        kinds = session.scalars(select(LogEntry.kind).where(LogEntry.log == "operations").order_by(LogEntry.id)).all()
    assert kinds == ["card_bound", "card_removed"]
