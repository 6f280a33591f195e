"""A web worker imports neither commands nor what prints, signs papers, migrates or parses files."""

import json
import subprocess
import sys

import pytest
from flask import Flask

from tests import ROOT
from tests.cast import PASSWORD

FOREIGN = {
    "flask_migrate", "alembic", "mako", "weasyprint", "fontTools", "pyhanko", "pkcs11", "pikepdf", "segno",
    "openpyxl", "xlsxwriter", "xlrd", "python_calamine", "filetype", "lxml", "webauthn", "OpenSSL", "pyasn1",
    "cbor2", "authlib", "joserfc", "structlog", "rich", "pygments", "captcha", "prometheus_client", "zxcvbn",
    "pypinyin", "icalendar", "numpy",
}  # fmt: skip
JOBS = {
    "views.terminal.group",
    "views.demo",
    "models.integrity",
    "models.exchange.delivery",
    "models.customs.envelope",
}
PROGRAM = f"""
import json, re, sys
from app import create_app
browser = create_app(json.loads(sys.argv[1])).test_client()
token = re.search('name="csrf_token" value="([^"]+)"', browser.get("/login").text)[1]
form = {{"csrf_token": token, "username": "publisher", "password": "{PASSWORD}", "next": "/applications/"}}
page = browser.post("/login", data=form, follow_redirects=True)
assert page.status_code == 200 and 'class="table-responsive"' in page.text, page.text
print(json.dumps(list(sys.modules)))
"""


@pytest.mark.slow
def test_after_the_first_page_a_worker_holds_what_pages_need(app: Flask) -> None:
    names = ("SECRET_KEY", "SQLALCHEMY_DATABASE_URI", "STORE", "SIGNING_KEY", "CAPTCHA")
    settings = json.dumps({name: app.config[name] for name in names})
    program = [sys.executable, "-c", PROGRAM, settings]
    modules = json.loads(subprocess.run(program, cwd=ROOT, capture_output=True, check=True, timeout=120).stdout)
    assert {name for name in modules if name.partition(".")[0] in FOREIGN or name in JOBS} == set()
    postgresql = app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql")
    assert ("psycopg" in modules) is postgresql
