"""Files of revocation lists that cannot be read, end at a bad moment, or are replaced."""

from pathlib import Path

import pytest
from flask import Flask

from models import clock
from models.certificate import Paper
from models.people.certificates import crls_in, is_signed
from models.signing.keys import Keys
from models.workflow import Refused
from tests.conftest import MakeApplication
from tests.views.certificate.stamps import DAY
from tests.views.certificate.test_long_term import UNPROVED, Later, Signer, assert_refused
from tests.views.certificate.test_long_term import lists as lists
from tests.views.certificate.test_long_term import signer as signer
from tests.views.certificate.test_paper_worker import count, round_of, task_of
from tests.views.conftest import Invoke
from views.resources import keys


def test_a_list_that_cannot_be_read_stops_the_province(
    app: Flask, make_application: MakeApplication, signer: Signer, advance_clock: Later
) -> None:
    """It may have named the certificate. Papers of former grants wait, and no fault is counted."""
    key = make_application(status="filed")
    signer.publish(b"<html>maintenance")
    assert_refused(app, "吊销列表 320000.crl 不能读取，暂不能签发证明，请联系系统管理员更新。")
    assert "320000.crl" in round_of(app)[0]
    assert (count(app, Paper), task_of(app, key).faults) == (0, 0)
    advance_clock()
    signer.publish()
    assert round_of(app) == []


def test_a_paper_waits_if_a_list_ends_before_it_is_signed(
    app: Flask,
    make_application: MakeApplication,
    signer: Signer,
    lists: Path,
    advance_clock: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the check and before the signature: no fault of the paper."""
    key = make_application(status="filed")
    signer.publish(signer.root.crl(until=-DAY), signer.between.crl(until=-DAY))
    with monkeypatch.context() as patch:
        patch.setattr(Keys, "check_lists", lambda _keys, _province: None)
        (why,) = round_of(app)
    assert UNPROVED in why
    assert (count(app, Paper), task_of(app, key).faults) == (0, 0)
    advance_clock()
    signer.publish()
    assert round_of(app) == []


def test_lists_are_no_reason_to_read_the_keys_again(app: Flask, signer: Signer) -> None:
    """They change every day, and are downloaded to a file beside them."""
    with app.app_context():
        before = keys().file_stats()
        signer.publish()
        (signer.folder / "320000.crl.part").write_bytes(b"half")
        assert keys().file_stats() == before
        assert len(keys().embedded_lists("320000")) == 0


def test_a_list_that_could_not_be_read_once_is_read_the_next_time(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer.publish()
    file = signer.folder / "320000.crl"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda _path: (_ for _ in ()).throw(OSError(24, "Too many open files")))
        assert crls_in(file) == ()
    assert len(crls_in(file)) == 2


@pytest.mark.parametrize("revoked", [True, False])
def test_keys_that_must_not_sign_are_not_installed(
    app: Flask, signer: Signer, invoke: Invoke, tmp_path: Path, revoked: bool
) -> None:
    """Their certificate is revoked by a list in the folder of keys, or the list cannot be read."""
    file = signer.folder / "320000.p12"
    new = file.rename(tmp_path / "320000.p12")
    refused = signer.between.crl(signer.certificate)
    signer.publish(signer.root.crl(), refused) if revoked else signer.publish(b"<html>")
    answer = invoke("certificate", "keys", "install", str(new))
    words = "的签章证书已被吊销" if revoked else "吊销列表 320000.crl 不能读取"
    assert (answer.exit_code, words in answer.output, file.exists()) == (1, True, False), answer.output
    signer.publish()
    assert invoke("certificate", "keys", "install", str(new)).exit_code == 0
    assert file.exists()


def test_a_list_is_verified_once_and_its_time_and_file_are_checked_at_each_act(
    app: Flask, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer.publish()
    is_signed.cache_clear()
    now = clock.now()
    with app.app_context():
        for _time in range(3):
            keys().signer("320000")
            keys().check_lists("320000")
        assert is_signed.cache_info().misses == 2, "lists of root and authority"
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda: now + 3 * DAY)
            with pytest.raises(Refused, match="没有有效的吊销列表"):
                keys().check_lists("320000")
        signer.publish(signer.root.crl(), signer.between.crl(signer.certificate))
        with pytest.raises(Refused, match="已被吊销"):
            keys().signer("320000")
