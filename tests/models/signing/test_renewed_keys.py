"""Keys that are made, renewed and read again."""

import itertools
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from models import clock
from models.certificate import typesetting
from models.certificate.typesetting import Order
from models.signing.keys import Keys
from models.signing.signatures import paper_signature
from models.workflow import Refused
from tests.models.signing.jiangsu import JIANGSU, private, public, refusal
from tests.offices import deliver
from views.demo import signing_keys


def test_keys_are_read_once_and_reread_after_a_change(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each paper needs them three times, and loading them costs more than signing."""
    before = keys.signer("320000")
    with monkeypatch.context() as closed:
        closed.setattr(Path, "read_bytes", lambda *_: pytest.fail("read again"))
        assert keys.signer("320000") == before
    deliver(keys.folder, "320000", common_name=f"{JIANGSU}新章")
    assert keys.signer("320000").name == f"{JIANGSU}新章"


def test_an_interrupted_generation_of_keys_is_repeated_by_the_next_start(
    language_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted at each file in turn, the folder stays empty; the next call fills it."""
    write, folder = signing_keys._write, tmp_path / "keys"
    for last in range(4):
        written = itertools.count()

        def until(path: Path, content: bytes, last: int = last, written: Any = written) -> None:
            if next(written) == last:
                raise KeyboardInterrupt
            write(path, content)

        with language_app.app_context(), monkeypatch.context() as broken:
            broken.setattr(signing_keys, "_write", until)
            with pytest.raises(KeyboardInterrupt):
                signing_keys.establish(folder, ["320000"])
        assert list(folder.iterdir()) == []
    with language_app.app_context():
        assert signing_keys.establish(folder, ["320000"])
        assert not signing_keys.establish(folder, ["320000"])
        assert Keys(folder).signer("320000").name == f"{JIANGSU}（演示）"
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_new_key_signs_and_the_former_public_key_stays(keys: Keys) -> None:
    """Rotation as in the README: two public keys are valid, one key signs."""
    new = Ed25519PrivateKey.generate()
    (keys.folder / "320000.pub").rename(keys.folder / "320000-2025.pub")
    (keys.folder / "320000.key").write_bytes(private(new))
    (keys.folder / "320000.pub").write_bytes(public(new))
    assert keys.signer("320000").code_key.public_key() == new.public_key()
    assert [province for province, _key in keys.code_keys()].count("320000") == 2


def test_a_signature_stays_valid_after_its_certificate_has_expired(
    keys: Keys, make_pdf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paper is validated as of the day it was signed: the register confirms that day."""
    long_ago = clock.now() - signing_keys.YEARS - timedelta(days=30)

    class ThatDay(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return long_ago.astimezone(tz)

    former = Keys(keys.folder.parent / "former")
    with monkeypatch.context() as then:
        then.setattr("models.clock.now", lambda: long_ago)
        then.setattr("pyhanko.sign.signers.pdf_signer.datetime", ThatDay)
        signing_keys.establish(former.folder, ["320000"])
        paper = typesetting.sign_paper(
            make_pdf(), 0, (10, 10, 60, 60), Order("", "", long_ago.date(), former, "320000")
        )
    assert "不在有效期内" in refusal(former)
    assert paper_signature(paper, former.trusted()).name == f"{JIANGSU}（演示）"
    with pytest.raises(Refused, match="签章不是签发机关的"):
        paper_signature(paper, keys.trusted())
