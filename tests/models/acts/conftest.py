"""Acts of one person, as work for a thread."""

from collections.abc import Callable

import pytest
from flask import Flask

from models.acts import filing
from models.application import Application
from models.database import db
from models.people.accounts import Account
from models.vocabulary import Action
from tests.models.acts.at_once import Work, work_of
from views.resources import office


@pytest.fixture
def prepare_act(app: Flask) -> Callable[..., Work]:
    """`prepare_act("grant", key, "reviewer")`: that act as a piece of work for a thread."""

    def planned(action: str, key: int, by: str, opinion: str = "理由") -> Work:
        def act(account: Account) -> str:
            application = db.session.get_one(Application, key)
            filing.perform(db.session(), Action(action), application, account, opinion, office=office())
            return action

        return work_of(app, by, act)

    return planned
