"""Fields with a search while typing: the options sent, the values accepted; in a browser test_combobox.py."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import drafts
from models.application import Application
from models.database import db
from models.people.accounts import Account
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication
from tests.views.pages import complaints, form_of

ADDRESSES = {
    "publisher": ("/applications/", "/applications/new/"),
    "reviewer": ("/review/", "/filings/", "/exchange/"),
    "national": ("/register/",),
    "operator": ("/accounts/", "/accounts/new/", "/districts/", "/entrustments/new/", "/traffic/"),
}


def test_no_page_loads_an_asset_of_flask_admin(client_as: ClientAs) -> None:
    """jQuery, Select2, moment, Bootstrap: 450 KB that no screen uses; our style sheets and modules replace them."""
    for username, addresses in ADDRESSES.items():
        for address in addresses:
            page = client_as(username).get(address).text
            assert re.search(r"/assets/[0-9a-f]{16}/panel/all\.js", page), address
            assert "/static/admin/" not in page and "jquery" not in page.lower(), address


@pytest.mark.slow
def test_search_keys_are_sent_once_per_page(client_as: ClientAs, make_application: MakeApplication) -> None:
    short, long = (
        client_as("publisher").get(f"/applications/edit/?id={make_application(carriers=count)}").text
        for count in (1, 300)
    )
    assert short.count('data-keys="h he"') == long.count('data-keys="h he"') == 1
    assert re.search(r'data-keys="dg deguo de germany [a-z]+"[^>]* value="DEU"', long)


@pytest.mark.slow
def test_a_stored_option_stays_selectable_in_its_own_row(
    app: Flask, client_as: ClientAs, act_as: ActAs, make_application: MakeApplication
) -> None:
    """A price in gold of years ago: shown, saved again as it is; and no other row can take it."""
    key = make_application(carriers=2)
    with act_as("publisher") as account:
        application = db.session.get_one(Application, key)
        with drafts.revising(db.session(), application, application.version, account):
            application.carriers[0].currency = "XAU"
        db.session.commit()
    publisher, address = client_as("publisher"), f"/applications/edit/?id={key}"
    form = form_of(publisher.get(address).text)
    assert form["carriers-0-currency"] == "XAU-黄金"
    assert publisher.post(address, data=form | {"title": "改过的名称"}).status_code == 302
    form = form_of(publisher.get(address).text)
    publisher.post(address, data=form | {"carriers-1-currency": "XAU-黄金"})
    with app.app_context(), access.everything() as session:
        application = session.get_one(Application, key)
        assert application.title == "改过的名称"
        assert [carrier.currency for carrier in application.carriers] == ["XAU", None]


def test_an_organisation_is_chosen_by_id_code_name_or_both(client_as: ClientAs, act_as: ActAs) -> None:
    """Without a script the field is a text box: an ambiguous or unknown text stays in it with a message."""
    operator = client_as("operator")
    for place, words in enumerate(
        ("1", "12320000466000101w", "江苏文艺音像出版社", "12320000466000101W-江苏文艺音像出版社")
    ):
        form = form_of(operator.get("/accounts/new/").text, "card-box")
        form |= {"username": f"new{place}", "name": "新人", "role": "publisher", "organisation": words}
        assert operator.post("/accounts/new/", data=form).status_code == 302, words
        with act_as("operator"):
            account = db.session.scalars(select(Account).where(Account.username == f"new{place}")).one()
            assert account.organisation and account.organisation.name == "江苏文艺音像出版社"
    page = operator.post("/accounts/new/", data=form | {"username": "new9", "organisation": "江苏"}).text
    assert complaints(page) == ["请从下拉列表中选择。"]
    assert form_of(page, "card-box")["organisation"] == "江苏"


def test_units_are_found_by_pinyin(client_as: ClientAs) -> None:
    operator = client_as("operator")
    for query, count in (("jswy", 1), ("JSDZ", 1), ("jiangsu", 2), ("nanjing", 1), ("j", 0), ("zzz", 0)):
        answer = operator.get("/accounts/ajax/lookup/", query_string={"name": "organisation", "query": query})
        assert len(answer.json or ()) == count, query
