"""The recipes of the README, «A status» and «A field», each followed in a copy of the project."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from models import access
from models.codes import names_of
from models.database import db
from models.vocabulary import Action
from tests import ROOT
from tests.cast import add_cast, draft, perform_step
from tests.conftest import MakePdf
from views.demo import signing_keys

LABELLED = '    REVOKED = "revoked", _l("已作废")'


RECIPE = {  # README: «A status», in a copy of the code
    "models/vocabulary.py": {
        LABELLED: LABELLED + '\n    SUSPENDED = "suspended", _l("已中止")',
        '    Status.REVOKED: "dark",': '    Status.REVOKED: "dark",\n    Status.SUSPENDED: "dark",',
    },
    "models/workflow/statuses.py": {
        "Status.CUSTOMS_FAILED, Status.REVOKED})": "Status.CUSTOMS_FAILED, Status.REVOKED, Status.SUSPENDED})",
        '    Status.REVOKED: (3, "error"),': '    Status.REVOKED: (3, "error"),\n    Status.SUSPENDED: (3, "error"),',
    },
}


SUSPEND = """
from sqlalchemy import select, text
from app import create_app
from models import access
from models.database import triggers
from models.people.accounts import Account
from models.application import Application
from models.text import search_key
from models.database import db
with create_app().app_context():
    with db.engine.begin() as connection:
        triggers.remove(connection)
        connection.execute(text("UPDATE application SET status = 'suspended'"))
        triggers.install(connection)
    access.enter(db.session.scalars(select(Account).where(Account.username == "national")).one())
    print("seen:", db.session.scalars(select(Application.status)).one())
"""


def copy_project(folder: Path, edits: dict[str, dict[str, str]]) -> Path:
    """A copy of the code with edits: file → {text that occurs once: its replacement}."""
    project = folder / "project"
    for name in ("models", "views", "templates", "tests"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, project)
    for name, changes in edits.items():
        words = (project / name).read_text(encoding="utf-8")
        for before, after in changes.items():
            assert words.count(before) == 1, before
            words = words.replace(before, after)
        (project / name).write_text(words, encoding="utf-8")
    return project


def run_in(project: Path, app: Flask, *words: str) -> str:
    """The output of a program in that copy, with the database and the store of `app`."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    outside |= {f"FILING_{name}": str(app.config[name]) for name in ("SQLALCHEMY_DATABASE_URI", "STORE", "SIGNING_KEY")}
    outside |= {"FILING_SECRET_KEY": "x", "PYTHONWARNINGS": "error::UserWarning"}
    done = subprocess.run(words, cwd=project, env=outside, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_status_needs_one_migration_and_the_nation_sees_its_rows(
    empty_app: Flask, tmp_path: Path, make_pdf: MakePdf
) -> None:
    """The recipe of the README, in a copy of the code; the row existed before the migration."""
    with empty_app.app_context():
        upgrade()
        with access.everything() as session:
            add_cast(session)
    perform_step(empty_app, Action.SUBMIT, draft(empty_app, "publisher", 1, {}, make_pdf), "publisher")
    with empty_app.app_context():
        db.engine.dispose()
    project = copy_project(tmp_path, RECIPE)
    run = partial(run_in, project, empty_app)
    program = Path(sys.executable).parent
    run("make", "-o", ".venv/requirements.txt", f"BIN={program}", "migration", "NAME=a status")
    last = max(int(path.name[:4]) for path in (ROOT / "models/migrations/versions").glob("0*.py"))
    step = project / f"models/migrations/versions/{last + 1:04}_a_status.py"
    assert "'suspended'" in step.read_text(encoding="utf-8")
    assert run(str(program / "flask"), "--app", "app", "upgrade") == "数据库结构已是最新。\n"
    assert run(sys.executable, "-c", SUSPEND) == "seen: suspended\n"
    run(str(program / "flask"), "--app", "app", "db", "check")
    run(str(program / "flask"), "--app", "app", "db", "downgrade")


FIELD = {  # README: «A field»
    "models/application/__init__.py": {
        "    port: Mapped[str | None] = mapped_column(": """    voltage: Mapped[str | None] = mapped_column(
        String(20), info=by_applicant(_l("电压"), required=True)
    )
    port: Mapped[str | None] = mapped_column(""",
    },
}


FILED = """
import io
import sys
import zipfile
from sqlalchemy import select
from app import create_app
from models import access
from models.certificate import Certificate
from models.customs import CustomsMessage, envelope
from models.customs.schema import message_xsd
from tests.cast import create_application
from tests.browsing import signed_in
from models.acts.papers import code_of
from views.certificate import page
from views.resources import keys

app = create_app({"TESTING": True, "CAPTCHA": False})
draft, filed = create_application(app), create_application(app, status="filed", voltage="220 伏")
browser = signed_in(app, "publisher")
form = browser.get(f"/applications/edit/?id={draft}").text
assert 'name="voltage"' in form, "form"
browser.post("/applications/submit/", data={"id": draft})
missing = browser.post("/applications/submit/", data={"id": draft}, follow_redirects=True).text
assert "请填写电压。" in missing, missing
assert "220 伏" in browser.get(f"/applications/details/?id={filed}").text, "details"
assert "电压,".encode() in browser.get("/applications/export/csv/").data, "export"
with app.app_context(), access.everything() as session:
    certificate = session.scalars(select(Certificate)).one()
    assert certificate.snapshot["voltage"] == "220 伏", "certificate"
    assert "220 伏" in page(certificate, code_of(certificate, keys().signer("320000")), "印"), "paper"
    message = session.scalars(select(CustomsMessage)).one()
    assert "<voltage>220 伏</voltage>" in envelope.business_xml(message).decode(), "message"
    trail = [entry for entry in certificate.application.trail if "voltage" in (entry.changes or {})]
    assert trail, "history"
assert b'name="voltage" type="text20"' in message_xsd(), "schema"
print("everywhere")
"""


CARRIER = {  # README: «A field»
    "models/application/carriers.py": {
        "    unit_price: Mapped[Decimal | None] = mapped_column(": """    coating: Mapped[str | None] = mapped_column(
        String(20), info=by_applicant(_l("镀层"), required=True)
    )
    unit_price: Mapped[Decimal | None] = mapped_column(""",
    },
}


CARRIED = """
import io

from sqlalchemy import select

from app import create_app
from models import access
from models.acts.papers import code_of
from models.application.changes import explain
from models.certificate import Certificate
from models.customs import CustomsMessage, envelope
from models.customs.schema import message_xsd
from models.vocabulary import Action
from python_calamine import CalamineWorkbook
from tests.browsing import signed_in
from tests.cast import create_application, perform_step
from tests.views.screens.saved_forms import opened, save
from views.certificate import page
from views.resources import keys

app = create_app({"TESTING": True, "CAPTCHA": False})
key = create_application(app)
browser = signed_in(app, "publisher")
missing = browser.post("/applications/submit/", data={"id": key}, follow_redirects=True).text
assert "第 1 行 镀层：必填。" in missing, "missing"
form = opened(browser, key)
assert form["carriers-0-coating"] == "", "form"
save(browser, key, form | {"carriers-0-coating": "金"})
assert "金" in browser.get(f"/applications/details/?id={key}").text, "details"
block, script = {"text": "规格型号\\t镀层\\nCD\\t银"}, {"X-Requested-With": "XMLHttpRequest"}
pasted = browser.post("/applications/carriers/preview/", data=block, headers=script).json
assert pasted["fields"] == ["specification", "coating"] and pasted["rows"] == [["CD", "银"]], "import"
sheets = CalamineWorkbook.from_filelike(io.BytesIO(browser.get("/applications/export/xlsx/").data))
assert any("镀层" in row for name in sheets.sheet_names for row in sheets.get_sheet_by_name(name).to_python()), "export"
for step in (Action.SUBMIT, Action.GRANT):
    perform_step(app, step, key, "publisher")
with app.app_context(), access.everything() as session:
    certificate = session.scalars(select(Certificate)).one()
    lines = [line for entry in certificate.application.trail for line in explain(entry)]
    assert any("镀层" in line and "“金”" in line for line in lines), "history"
    assert certificate.snapshot["carriers"][0]["coating"] == "金", "certificate"
    paper = page(certificate, code_of(certificate, keys().signer("320000")), "印")
    assert "镀层" in paper and "金" in paper, "paper"
    message = session.scalars(select(CustomsMessage)).one()
    assert "<coating>金</coating>" in envelope.business_xml(message).decode(), "message"
assert b'name="coating" type="text20"' in message_xsd(), "schema"
print("everywhere")
"""


@pytest.mark.parametrize(("edits", "program"), [(FIELD, FILED), (CARRIER, CARRIED)], ids=["application", "carrier"])
def test_a_new_field_needs_one_file_and_one_migration(
    empty_app: Flask, tmp_path: Path, edits: dict[str, dict[str, str]], program: str
) -> None:
    """One file, one migration; it is in form, details, 申报's check, history, export, paper and message."""
    with empty_app.app_context():
        upgrade()
        with access.everything() as session:
            add_cast(session)
        signing_keys.establish(Path(empty_app.config["SIGNING_KEY"]), names_of("province"))
        db.engine.dispose()
    project = copy_project(tmp_path, edits)
    run = partial(run_in, project, empty_app)
    run("make", "-o", ".venv/requirements.txt", f"BIN={Path(sys.executable).parent}", "migration", "NAME=a field")
    run(str(Path(sys.executable).parent / "flask"), "--app", "app", "upgrade")
    assert run(sys.executable, "-c", program) == "everywhere\n"
