"""Fixtures for tests of the paper: downloaded, made in this process, verified."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from PIL import Image
from sqlalchemy import select

from models import access
from models.acts.papers import order
from models.certificate import Certificate, typesetting
from tests.apps import PreparedApp
from tests.cast import make_papers
from tests.views import looks
from tests.views.certificate import stamps
from views.certificate import page
from views.resources import keys


@pytest.fixture
def download_paper(app: Flask, client_as: Any) -> Callable[[str, int], bytes]:
    """`download_paper("publisher", key)`: the PDF as that person gets it."""

    def opened(username: str, key: int) -> bytes:
        screen = {"reviewer": "filings", "national": "register"}.get(username, "applications")
        make_papers(app)
        answer = client_as(username).get(f"/{screen}/certificate/?id={key}")
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        return bytes(answer.data)

    return opened


@pytest.fixture(scope="module")
def correct_page(on_sqlite: PreparedApp) -> Image.Image:
    """The correct page of two rows."""
    with on_sqlite.app.app_context():
        return looks.page(looks.pdf(looks.certificate(2)))


@pytest.fixture
def copy_certificate(app: Flask) -> Callable[..., Certificate]:
    """`copy_certificate(key)`: a copy of that application's certificate; keyword arguments change its snapshot."""

    def copied(key: int, **changes: Any) -> Certificate:
        with app.app_context(), access.everything() as session:
            found = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
            content = json.dumps(found.snapshot | changes)
            names = ("number", "issued_on", "authority", "signer", "check_code", "identifier")
            fields = {name: getattr(found, name) for name in names}
            return Certificate(content=content, digest=found.digest, **fields)

    return copied


@pytest.fixture
def paper(app: Flask, copy_certificate: Callable[..., Certificate]) -> Callable[..., bytes]:
    """`paper(key)`: the PDF of that application's certificate, made in this process."""

    def on_paper(key: int, **changes: Any) -> bytes:
        copy = copy_certificate(key, **changes)
        with app.app_context():
            return typesetting.make_signed_pdf(order(copy, "320000", keys(), page))

    return on_paper


@pytest.fixture
def context(on_sqlite: PreparedApp) -> Iterator[None]:
    """An application for settings and translations; typesetting needs no database."""
    with on_sqlite.app.app_context():
        yield


@pytest.fixture
def time_stamp_authority(app: Flask, tmp_path: Path) -> Iterator[stamps.Authority]:
    """A running time stamp authority, set in the application's settings."""
    own = stamps.established(tmp_path / "tsa")
    with stamps.running(own):
        app.config |= {"TSA": own.address, "TSA_CA": str(own.home / "ca.crt")}
        yield own


@pytest.fixture
def verified(app: Flask, tmp_path: Path) -> Callable[[bytes], Result]:
    """`verified(paper)`: `flask certificate verify` of this file."""

    def answer(paper: bytes) -> Result:
        file = tmp_path / "证明.pdf"
        file.write_bytes(paper)
        return app.test_cli_runner().invoke(args=["certificate", "verify", str(file)])

    return answer
