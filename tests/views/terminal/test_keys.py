"""Keys of the authorities: reported before they expire, logged when they are new, listed and installed."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import access, clock
from models.log import LogEntry, Operation
from models.notifications import key_ends
from models.signing.installed_keys import installed
from tests.browsing import ClientAs
from tests.models.notifications.test_events import notified
from tests.views.conftest import Invoke
from views.demo import signing_keys
from views.resources import keys

EVENT = ("operator", "key_ending")


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Path:
    """The keys of 江苏 alone, in a folder of this test."""
    with app.app_context():
        signing_keys.establish(tmp_path / "keys", ["320000"])
    app.config["SIGNING_KEY"] = str(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def set_days_left(app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`set_days_left(90)`: so many days are left until the certificates end."""
    with app.app_context():
        end = min(key.ends_at for key in installed(keys()) if key.ends_at)
    return lambda days: monkeypatch.setattr(clock, "now", lambda: end - timedelta(days=days))


def noted(app: Flask) -> int:
    with app.app_context(), access.everything() as session:
        of_keys = select(func.count()).where(LogEntry.kind == Operation.KEY_INSTALLED.value)
        return session.scalar(of_keys) or 0


def test_operators_are_warned_once_at_each_of_three_limits(
    app: Flask, invoke: Invoke, set_days_left: Callable[[float], None], client_as: ClientAs
) -> None:
    """90, 30 and 7 days before the end of the certificate of 江苏 and of the root, and after it."""
    for days, so_many in ((90.5, 0), (89.5, 2), (60, 2), (29.5, 4), (6.5, 6), (1, 6), (-3, 6)):
        set_days_left(days)
        for _twice in range(2):
            assert invoke("mail", "send").exit_code == 0
        assert notified(app).count(EVENT) == so_many, days
    set_days_left(29.5)
    with app.app_context():
        sentences = sorted(key_ends.sentence(key) for key in key_ends.ending(keys()))
    assert [each.partition("将于")[0] for each in sentences] == [
        "受信任的根证书（root.crt）",
        "江苏省新闻出版局的证书（320000.p12）",
    ]
    browser = client_as("operator")
    for page in ("/condition/", "/desk/", "/messages/"):
        assert "江苏省新闻出版局的证书（320000.p12）将于 " in browser.get(page).text, page


def test_a_new_key_is_logged_once_with_its_fingerprint(
    app: Flask, folder: Path, invoke: Invoke, client_as: ClientAs
) -> None:
    """Certificate, public key and root, added by any means; a renewed one is logged again."""
    for _twice in range(2):
        assert invoke("mail", "send").exit_code == 0
        assert noted(app) == 3
    shutil.rmtree(folder)
    with app.app_context():
        signing_keys.establish(folder, ["320000"])
    assert invoke("mail", "send").exit_code == 0
    assert noted(app) == 6
    page = client_as("operator").get("/operations/?kind=signing_key_installed").text
    assert "320000.p12" in page
    assert "在密钥文件夹中首次发现" in page


def test_the_list_shows_every_certificate_and_key_with_its_expiry(app: Flask, folder: Path, invoke: Invoke) -> None:
    done = invoke("certificate", "keys", "list")
    lines = [line.split("\t") for line in done.output.splitlines()]
    assert (done.exit_code, [line[0] for line in lines]) == (0, ["320000.p12", "320000.pub", "root.crt"])
    assert (lines[0][1], lines[1][2]) == ("江苏省新闻出版局", "—")
    assert all(len(line[3]) == 64 for line in lines)
    (folder / "320000.p12").write_bytes(b"x")
    assert (invoke("certificate", "keys", "list").exit_code, noted(app)) == (1, 0)


def test_new_keys_are_installed_after_a_trial_and_former_codes_stay_valid(
    app: Flask, folder: Path, invoke: Invoke, tmp_path: Path
) -> None:
    """All of them or none; the log of operators has the name."""
    new = tmp_path / "new"
    with app.app_context():
        signing_keys.establish(new, ["320000"])
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        half = invoke("certificate", "keys", "install", str(new / "320000.key"))
        assert (half.exit_code, "公钥缺失或与私钥不符" in half.output) == (1, True)
        odd = invoke("certificate", "keys", "install", __file__)
        assert (odd.exit_code, "不是密钥文件的名称" in odd.output) == (1, True)
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
        (new / "root.crt").rename(new / "root-2026.crt")
        done = invoke("certificate", "keys", "install", *map(str, sorted(new.iterdir())))
        assert done.exit_code == 0, done.output
        assert keys().signer("320000").name == "江苏省新闻出版局（演示）"
        assert len(keys().code_keys()) == 2
        assert all(file.stat().st_mode & 0o77 == 0 for file in folder.iterdir())
    with app.app_context(), access.everything() as session:
        words = session.scalars(select(LogEntry.words).where(LogEntry.kind == Operation.KEY_INSTALLED.value)).all()
    assert sum("用命令安装" in each for each in words) == 3
