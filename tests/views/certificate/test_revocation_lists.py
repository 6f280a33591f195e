"""Files of revocation lists that cannot be read, end at a bad moment, or are replaced."""

from pathlib import Path

import pytest
from flask import Flask

from models.certificate import Paper
from models.people.certificates import crls_in
from models.signing.keys import Keys
from tests.conftest import MakeApplication
from tests.views.certificate.stamps import DAY
from tests.views.certificate.test_long_term import UNPROVED, Later, Signer, assert_refused
from tests.views.certificate.test_long_term import lists as lists
from tests.views.certificate.test_long_term import signer as signer
from tests.views.certificate.test_paper_worker import count, round_of, task_of
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
