"""Fixtures for tests of views."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from app import create_app
from models import access, clock
from models.acts.papers import code_of, paper
from models.certificate import Certificate
from models.signing import check_code
from tests.cast import make_papers
from tests.views.customs_server import CustomsServer
from views.resources import keys, store

CertificateData = Callable[[int], SimpleNamespace]
PrintedPaper = Callable[[int], bytes]
Invoke = Callable[..., Result]
AdvanceClock = Callable[[], None]


@pytest.fixture(scope="session")
def routes() -> list[Rule]:
    """Every route of an application as it leaves create_app; 退出 comes last, because it ends the visit."""
    app = create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"})
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint == "logout", rule.rule))


@pytest.fixture
def certificate_data(app: Flask) -> CertificateData:
    """`certificate_data(key)`: printed data: `number`, typed check code `typed`, QR `code`, `facts`."""

    def looked_at(key: int) -> SimpleNamespace:
        with app.app_context(), access.everything() as session:
            found = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
            code = code_of(found, keys().signer(str(found.application.province)))
            facts = check_code.read(code, keys().code_keys())
            number, typed = found.number, found.check_code
            return SimpleNamespace(number=number, typed=typed, code=code, facts=facts, content=found.snapshot)

    return looked_at


@pytest.fixture
def printed_paper(app: Flask) -> PrintedPaper:
    """`printed_paper(key)`: the PDF of that application's certificate."""

    def stored_paper(key: int) -> bytes:
        make_papers(app)
        with app.app_context(), access.everything() as session:
            found = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
            return paper(found, store())

    return stored_paper


@pytest.fixture
def customs_server(app: Flask, tmp_path: Path) -> Iterator[CustomsServer]:
    """A running simulated customs, set as the application's gateway."""
    customs_server = CustomsServer(tmp_path)
    customs_server.open()
    app.config["CUSTOMS_GATEWAY"] = customs_server.address
    yield customs_server
    customs_server.close()


@pytest.fixture
def invoke(app: Flask) -> Invoke:
    """`invoke("customs", "deliver")`: the result of that command."""
    return lambda *words: app.test_cli_runner().invoke(args=words)


@pytest.fixture
def advance_clock(monkeypatch: pytest.MonkeyPatch) -> AdvanceClock:
    """`advance_clock()`: move the clock two hours on, past every pause."""
    really, passed = clock.now, [timedelta()]

    def pass_by() -> None:
        passed[0] += timedelta(hours=2)
        monkeypatch.setattr(clock, "now", lambda: really() + passed[0])

    return pass_by
