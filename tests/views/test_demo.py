"""The demonstration: its people, its cases, and that repeating it doubles nothing."""

import random
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from models import access, accounts, trail
from models.accounts import Account, Organisation
from models.application import Application, Carrier
from models.attachments import Attachment, Store
from models.certificate import Certificate
from models.customs import CustomsMessage
from models.db import db
from models.vocabulary import Action, AttachmentKind, Filing, Status

TABLES = (Organisation, Account, Application, Carrier, Attachment, Certificate, CustomsMessage, trail.TrailEntry)


@pytest.fixture
def shown(app: Flask) -> Flask:
    """A register with the demonstration in it."""
    answer = app.test_cli_runner().invoke(args=["demo"])
    assert answer.exit_code == 0, answer.output
    return app


def counts(app: Flask) -> Counter[str]:
    """Rows by table."""
    with app.app_context(), access.everything() as session:
        return Counter(
            {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in TABLES}
        )


def test_every_status_can_be_seen(shown: Flask) -> None:
    with shown.app_context(), access.everything() as session:
        assert set(session.scalars(select(Application.status))) == set(Status)


def test_repeating_it_doubles_nothing(shown: Flask) -> None:
    before = counts(shown)
    answer = shown.test_cli_runner().invoke(args=["demo"])
    assert (answer.exit_code, "没有重复添加" in answer.output) == (0, True)
    assert counts(shown) == before


def test_a_case_of_the_agent_is_entrusted_and_has_its_letter(shown: Flask) -> None:
    with shown.app_context(), access.everything() as session:
        entrusted = session.scalars(select(Application).where(Application.filing == Filing.ENTRUSTED)).all()
        assert {row.publisher_name for row in entrusted} == {"江苏文艺音像出版社"}
        for row in entrusted:
            assert AttachmentKind.ENTRUSTMENT in {file.kind for file in row.current_attachments}


def test_the_papers_open_and_say_what_they_are_about(shown: Flask) -> None:
    with shown.app_context(), access.everything() as session:
        file = random.choice(session.scalars(select(Attachment)).all())
        with pypdfium2.PdfDocument(Store(shown.config["STORE"]).path(file.digest)) as paper:
            words = paper[0].get_textpage().get_text_range()
        assert str(file.kind.label) in words
        assert str(file.application.contract_number) in words


def test_the_past_of_a_case_goes_forward_and_stays_in_the_past(shown: Flask) -> None:
    with shown.app_context(), access.everything() as session:
        assert list(trail.broken(session)) == []
        cases = session.scalars(select(Application)).all()
        for case in cases:
            moments = [entry.at for entry in case.trail]
            assert moments == sorted(moments)
        assert len({case.applied_on for case in cases if case.applied_on}) > 10
        assert max(case.applied_on for case in cases if case.applied_on) <= accounts.clock.today()


def test_forty_discs_are_one_case_that_came_back_once(shown: Flask) -> None:
    with shown.app_context(), access.everything() as session:
        forty = session.scalars(select(Application).where(Application.title.contains("四十碟"))).one()
        assert [row.name for row in forty.carriers][::39] == ["第 1 张", "第 40 张"]
        assert [entry.act for entry in forty.trail].count(Action.SUBMIT) == 2
        assert len([file for file in forty.attachments if file.kind is AttachmentKind.CONTRACT]) == 2


def test_in_a_new_register_the_people_sign_in_with_the_password_shown(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/new.sqlite"
    app = create_app({"SQLALCHEMY_DATABASE_URI": address, "STORE": str(tmp_path / "store"), "SECRET_KEY": "x"})
    runner = app.test_cli_runner()
    assert runner.invoke(args=["upgrade"]).exit_code == 0
    answer = runner.invoke(args=["demo"])
    assert answer.exit_code == 0, answer.output
    for username in ("publisher", "publisher2", "agent", "reviewer", "reviewer2", "national", "operator"):
        assert username in answer.output
        with app.app_context():
            assert not accounts.sign_in(db.session(), username, "demo-Pass-2026").must_change
            db.engine.dispose()
