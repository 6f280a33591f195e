"""状态名单: revoked certificates, published and carried to where there is no network."""

import base64
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from models import access, clock, numbering
from models.certificate import status_list
from models.signing import check_code
from models.signing.check_code import Forged, StatusList, read_list
from models.vocabulary import Action
from models.workflow import Refused
from tests.browsing import ClientAs
from tests.cast import perform_step
from tests.conftest import MakeApplication
from tests.views.conftest import CertificateData
from views.resources import keys, list_publisher

YEAR = clock.today().year
ADDRESS = f"/status/320000/{YEAR}"
NOW = clock.now()


def _read(app: Flask, text: str) -> StatusList:
    with app.app_context():
        return read_list(text, keys().code_keys())


def test_the_public_status_list_contains_revocations_only(
    app: Flask, make_application: MakeApplication, certificate_data: CertificateData, client_as: ClientAs
) -> None:
    """An unassigned number looks like a valid one; the length does not reveal their count."""
    valid, revoked = (make_application(status="filed") for _ in range(2))
    perform_step(app, Action.REVOKE, revoked, "publisher")
    answer = client_as(None).get(ADDRESS)
    found = _read(app, answer.text)
    assert (answer.status_code, answer.mimetype) == (200, "application/vc+jwt")
    assert (found.province, found.year, len(found.bits)) == ("320000", YEAR, status_list.FEWEST // 8)
    never = numbering.format_number("Z32", YEAR, 100_000)
    numbers = (certificate_data(revoked).number, certificate_data(valid).number, never)
    assert [found.is_void(number) for number in numbers] == [True, False, False]
    assert sum(bin(byte).count("1") for byte in found.bits) == 1
    assert certificate_data(valid).content["title"] not in answer.text


def test_a_status_list_is_cached_until_a_revocation(
    app: Flask, make_application: MakeApplication, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stable address, an ETag, no cookie; generated within the last five minutes by any process."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    key, browser = make_application(status="filed"), client_as("publisher")
    answer = browser.get(ADDRESS)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert ("Set-Cookie" in answer.headers, answer.headers.get("Vary")) == (False, None)
    made = _read(app, answer.text).made_at
    assert made <= NOW < made + timedelta(minutes=5)
    again = browser.get(ADDRESS, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "public, max-age=300")
    perform_step(app, Action.REVOKE, key, "publisher")
    assert browser.get(ADDRESS, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_invalid_addresses_and_floods_are_refused_and_not_cached(client_as: ClientAs) -> None:
    browser = client_as(None)
    for address in ("/status/999999/2026", "/status/320000/1999", f"/status/320000/{YEAR + 1}", "/status/32/2026"):
        assert (browser.get(address).status_code, browser.get(address).headers["Cache-Control"]) == (404, "no-store")
    assert browser.post(ADDRESS).status_code == 405
    statuses = [browser.get(ADDRESS).status_code for _ in range(61)]
    assert (statuses[0], statuses[-1]) == (200, 429)


def test_a_status_list_is_published_after_the_certificate_of_the_province_expired(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revocation is published, although no certificate can be signed any more."""
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=5000))
    with app.app_context(), pytest.raises(Refused, match="不在有效期内"):
        keys().signer("320000")
    assert client_as(None).get(ADDRESS).status_code == 200


def test_a_province_without_keys_has_no_status_list(app: Flask, client_as: ClientAs, tmp_path: Path) -> None:
    app.config["SIGNING_KEY"] = str(tmp_path / "none")
    answer = client_as(None).get(ADDRESS)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")


def test_an_offline_port_verifies_a_paper_with_the_status_list_of_yesterday(
    app: Flask, make_application: MakeApplication, certificate_data: CertificateData, tmp_path: Path
) -> None:
    """`check_code.py` alone, public keys, and a folder that `certificate status-list` wrote the day before."""
    valid, revoked = (make_application(status="filed") for _ in range(2))
    perform_step(app, Action.REVOKE, revoked, "publisher")
    folder, public, alone = tmp_path / "lists", tmp_path / "public", tmp_path / "check_code.py"
    with clock.fixed(clock.now() - timedelta(days=1)):
        done = app.test_cli_runner().invoke(args=["certificate", "status-list", str(folder)])
    assert (done.exit_code, [file.name for file in folder.iterdir()]) == (0, [f"320000-{YEAR}.jwt"])
    public.mkdir()
    shutil.copy(Path(app.config["SIGNING_KEY"], "320000.pub"), public)
    shutil.copy(check_code.__file__, alone)

    def check(key: int, place: Path) -> tuple[int, list[str]]:
        command = [sys.executable, "-I", str(alone), str(public), certificate_data(key).code, str(place)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"})
        assert ran.stderr == ""
        return ran.returncode, ran.stdout.splitlines()[:2]

    status, (sentence, age) = check(valid, folder)
    assert (status, sentence) == (0, "二维码由签发机关签署，按名单没有作废。")
    assert age.startswith(f"名单制作于 {clock.today() - timedelta(days=1)}") or "距今 1 天" in age
    assert age.endswith("，距今 1 天。")
    status, (sentence, _age) = check(revoked, folder / f"320000-{YEAR}.jwt")
    assert (status, sentence) == (1, "二维码由签发机关签署，但证明已经作废，不能再用于办理进口手续。")
    file = folder / f"320000-{YEAR}.jwt"
    _head, body, signature = file.read_text().split(".")
    later = base64.urlsafe_b64encode(b'{"alg": "ML-DSA-44", "typ": "vc+jwt"}').rstrip(b"=").decode()
    file.write_text(f"{later}.{body}.{signature}")
    status, (sentence, _number) = check(valid, folder)
    assert (status, "本程序版本较旧" in sentence, "不是签发机关" in sentence) == (1, True, False)
    file.write_text("x")
    assert check(valid, folder)[0] == 1


def test_the_command_verifies_with_a_status_list(
    app: Flask, make_application: MakeApplication, certificate_data: CertificateData, tmp_path: Path
) -> None:
    code, folder = certificate_data(make_application(status="filed")).code, tmp_path / "lists"

    def run(*words: str) -> Result:
        return app.test_cli_runner().invoke(args=["certificate", *words])

    with clock.fixed(clock.now() - timedelta(days=4)):
        assert run("status-list", str(folder)).exit_code == 0
    done = run("verify-code", code, "--list", str(folder))
    assert (done.exit_code, "名单已经过期" in done.stdout, "距今 4 天" in done.stdout) == (1, True, True)
    assert run("status-list", str(folder)).exit_code == 0
    done = run("verify-code", code, "--list", str(folder))
    assert (done.exit_code, "按名单没有作废" in done.stdout, "签署日期：" in done.stdout) == (0, True, True)


def test_a_status_list_not_signed_by_its_province_is_refused(app: Flask, make_application: MakeApplication) -> None:
    """Altered anywhere, signed by another province, or empty."""
    make_application(status="filed")
    with app.app_context(), access.everything() as session:
        own = list_publisher().make(session, "320000", YEAR)
        neighbour = list_publisher().make(session, "440000", YEAR)
    head, body, _signature = own.split(".")
    foreign = [f"{head}.{body}.{neighbour.split('.')[2]}", f"{head}.{neighbour.split('.')[1]}.{_signature}"]
    altered = [own[:n] + ("A" if own[n] != "A" else "B") + own[n + 1 :] for n in range(0, len(own) - 4, 37)]
    for text in (*foreign, *altered, "", "a.b.c", "..", own[:-9]):
        with pytest.raises(Forged):
            _read(app, text)
