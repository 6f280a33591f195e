"""Acts of one person, as work for a thread."""

from collections.abc import Callable

import pytest
from flask import Flask

from models import access
from models.acts import filing
from models.application import Application
from models.database import db
from models.vocabulary import Action
from tests.cast import account_of
from tests.models.acts.at_once import Work
from views.resources import office


@pytest.fixture
def prepare_act(app: Flask) -> Callable[..., Work]:
    """`prepare_act("grant", key, "reviewer")`: that act as a piece of work for a thread."""

    def planned(action: str, key: int, by: str, opinion: str = "理由") -> Work:
        def work() -> str:
            with app.app_context():
                account = account_of(by)
                access.enter(account)
                application = db.session.get_one(Application, key)
                filing.perform(db.session(), Action(action), application, account, opinion, office=office())
                db.session.commit()
                return action

        return work

    return planned
