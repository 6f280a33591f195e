"""Each export is whole although the entry in the log is committed before most of it is read."""

import pytest
from flask import Flask

from models import access, log
from models.log import Handout, Place
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.views.panel.exported import rows_of
from views.panel import export, spreadsheet

ROWS = 3
EXPORTS = {  # list → who exports it
    "applications": "publisher", "filings": "reviewer", "register": "national", "signins": "operator",
    "operations": "operator", "prints": "national", "acts": "national", "exchange": "reviewer", "accounts": "operator",
}  # fmt: skip


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_sent_in_many_blocks_is_complete(
    app: Flask,
    client_as: ClientAs,
    make_application: MakeApplication,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setattr(export, "CHUNK", 1)
    monkeypatch.setattr("views.panel.list_export.CHUNK", 1)
    monkeypatch.setattr(spreadsheet, "BLOCK", 1)
    numbers = [make_application(status="filed") for _n in range(ROWS)]
    with app.app_context(), access.everything() as session:
        for kind in (Handout.PAPER, log.Operation.VERIFIED, log.SignIn.SIGNED_OUT):
            for number in numbers:
                log.record(session, kind, account_of("publisher"), Place(), about=str(number), words="某人所查")
        session.commit()
    answer = client_as(EXPORTS[name]).get(f"/{name}/export/csv/?until=2100-01-01")
    assert answer.mimetype == "text/csv"
    assert len(rows_of(answer, "csv")) > ROWS
