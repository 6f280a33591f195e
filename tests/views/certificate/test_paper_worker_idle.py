"""Between two papers a worker keeps no transaction open."""

from flask import Flask

from models import access
from models.database import db
from tests.conftest import MakeApplication
from views.certificate import paper_worker


def test_no_transaction_stays_open_after_a_round(app: Flask, make_application: MakeApplication) -> None:
    """Found in attack: the store asks for its identity in db.session, which `certificate work --watch` never ends.

    On PostgreSQL it would be idle in transaction; once the server has closed it, no paper would be made.
    """
    make_application(status="filed")
    with app.app_context(), access.everything() as session:
        made = list(paper_worker.make_due_papers(session, paper_worker.pace()))
        session.rollback()  # as views/terminal/certificates.py does after each round
        assert [failure for _number, failure in made] == [""]
        assert not db.session().in_transaction()
