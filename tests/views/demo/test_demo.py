"""Demo data: accounts and cases; loading them again adds nothing."""

from collections import Counter
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from models import access, clock
from models.application import Application, trail
from models.application.attachments import Attachment, Store
from models.application.carriers import Carrier
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.database import db
from models.people.accounts import Account, Organisation
from models.vocabulary import Action, AttachmentKind, Filing, Status
from tests.signing_in import sign_in

TABLES = (Organisation, Account, Application, Carrier, Attachment, Certificate, CustomsMessage, trail.TrailEntry)


@pytest.fixture
def with_demo(app: Flask) -> Flask:
    """The application with the demo data loaded."""
    result = app.test_cli_runner().invoke(args=["demo"])
    assert result.exit_code == 0, result.output
    return app


def counts(app: Flask) -> Counter[str]:
    """Rows by table."""
    with app.app_context(), access.everything() as session:
        return Counter({table.__name__: session.scalar(select(func.count()).select_from(table)) for table in TABLES})


@pytest.mark.slow
def test_every_status_can_be_seen_and_repeating_it_adds_nothing(with_demo: Flask) -> None:
    with with_demo.app_context(), access.everything() as session:
        assert set(session.scalars(select(Application.status))) == set(Status)
        assert list(trail.broken(session)) == []
    before = counts(with_demo)
    result = with_demo.test_cli_runner().invoke(args=["demo"])
    assert (result.exit_code, "没有重复添加" in result.output) == (0, True)
    assert counts(with_demo) == before


@pytest.mark.slow
def test_demo_applications_have_a_history_and_matching_papers(with_demo: Flask) -> None:
    with with_demo.app_context(), access.everything() as session:
        cases = session.scalars(select(Application)).all()
        for case in cases:
            moments = [entry.at for entry in case.trail]
            assert moments == sorted(moments)
        days = {case.applied_on for case in cases if case.applied_on}
        assert len(days) > 10
        assert max(days) <= clock.today()

        entrusted = [case for case in cases if case.filing is Filing.ENTRUSTED]
        letters = [[file for file in case.attachments if file.kind is AttachmentKind.ENTRUSTMENT] for case in entrusted]
        assert len(letters) >= 2
        for case, (letter,) in zip(entrusted, letters, strict=True):
            with pypdfium2.PdfDocument(Store(with_demo.config["STORE"]).open(letter.digest)) as paper:
                words = paper[0].get_textpage().get_text_range()
            assert "委托书" in words
            assert str(case.contract_number) in words

        (forty,) = (case for case in cases if len(case.carriers) == 40)
        assert [row.name for row in forty.carriers][::39] == ["第 1 张", "第 40 张"]
        assert [entry.act for entry in forty.trail].count(Action.SUBMIT) == 2


@pytest.mark.slow
def test_demo_users_sign_in_with_the_shown_password(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/new.sqlite"
    folders = {"STORE": str(tmp_path / "store"), "SIGNING_KEY": str(tmp_path / "keys")}
    app = create_app(folders | {"SQLALCHEMY_DATABASE_URI": address, "SECRET_KEY": "x"})
    runner = app.test_cli_runner()
    assert runner.invoke(args=["upgrade"]).exit_code == 0
    result = runner.invoke(args=["demo"])
    assert result.exit_code == 0, result.output
    for username in ("publisher", "publisher2", "agent", "reviewer", "reviewer2", "national", "operator"):
        assert username in result.output
        with app.app_context():
            assert not sign_in(db.session(), username, "demo-Pass-2026").must_change
            db.engine.dispose()


@pytest.mark.slow
def test_no_demo_task_is_overdue_at_the_first_start(with_demo: Flask) -> None:
    """Its acts are dated in the past, but its queued tasks are due from now on."""
    assert with_demo.test_client().get("/healthz").text == "ok\n"
