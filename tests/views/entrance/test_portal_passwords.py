"""从单一窗口登录: what becomes of the password of the account."""

import pytest
from flask import Flask
from sqlalchemy import delete

from models import access
from models.database import db
from models.people.accounts import Account
from models.people.portal_visits import PortalVisit
from models.people.sessions import Visit
from models.workflow import Refused
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.independent_portal import IndependentPortal
from tests.signing_in import sign_in
from tests.views.entrance.portal_steps import link, sign_on
from tests.views.keys import entries
from tests.views.pages import flashed


def test_a_password_reset_after_a_long_absence_stays(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    """`sweep` has deleted the visits of the person meanwhile; the log still knows of them."""
    link(webauthn_app, portal)
    sign_on(client_as(None), portal)
    with webauthn_app.app_context(), access.everything() as session:
        session.execute(delete(PortalVisit))
        session.execute(delete(Visit))
        once = session.get_one(Account, account_of("publisher").id).reset_password()
        session.commit()
    sign_on(client_as(None), portal)
    assert "password_removed" not in [kind for kind, _words in entries(webauthn_app)]
    with webauthn_app.app_context():
        assert sign_in(db.session(), "publisher", once).must_change


def test_an_account_without_a_password_is_not_told_to_change_it(
    webauthn_app: Flask, portal: IndependentPortal, client_as: ClientAs
) -> None:
    with webauthn_app.app_context(), access.everything() as session:
        session.get_one(Account, account_of("publisher").id).remove_password()
        session.commit()
    link(webauthn_app, portal)
    sign_on(client_as(None), portal)
    for notice in ("上次登录：", "次输错密码，最近一次在"):
        sign_on(browser := client_as(None), portal)
        (told,) = flashed(browser.get("/visits/").text)
        assert notice in told and told.endswith("。如非本人操作，请告知系统管理员。")
        with webauthn_app.app_context(), pytest.raises(Refused):
            sign_in(db.session(), "publisher", "wrong")
