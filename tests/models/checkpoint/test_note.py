"""Signed notes."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.checkpoint.note import Checkpoint, Unverified, Verifier, signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OURS = Verifier("filing.example.cn/trail", KEY.public_key())
CHECKPOINT = Checkpoint("filing.example.cn/trail", 4711, bytes(range(32)))
NOTE = signed(CHECKPOINT, KEY)
WITNESS = "— witness.example " + base64.b64encode(bytes(68)).decode() + "\n"


def test_a_public_key_is_written_as_other_programs_write_it() -> None:
    """The example of Go's package note."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(Verifier.of_text(f"{text}\n")) == text
    assert str(Verifier.of_text(str(OURS))) == str(OURS)


@pytest.mark.parametrize("text", [
    "", "x", "a+b+c", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T", "PeterNeumann+c74f20a3+Ag==",
])  # fmt: skip
def test_what_is_no_public_key_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(Unverified):
        Verifier.of_text(text)


def test_a_checkpoint_is_read_whoever_else_has_signed_it() -> None:
    assert NOTE.startswith("filing.example.cn/trail\n4711\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— filing")
    assert OURS.read(NOTE) == CHECKPOINT
    assert OURS.read(f"{NOTE}{WITNESS}") == CHECKPOINT
    text, _blank, signature = NOTE.rpartition("\n\n")
    assert OURS.read(f"{text}\n\n{WITNESS}{signature}") == CHECKPOINT


@pytest.mark.parametrize("wrong", [
    "", "\n", "\n\n", NOTE.replace("4711", "4712"), NOTE.replace("4711", "04711"), NOTE.replace("AAEC", "AAED"),
    NOTE.replace("\n\n", "\nmore\n\n"), NOTE.rpartition("— ")[0], NOTE.replace("— ", "- "), NOTE[:-9],
    NOTE.replace("filing.example.cn", "filing.example.com"), NOTE.replace("\n", "\r\n"),
    signed(Checkpoint("another.example/trail", 4711, bytes(32)), KEY),
    signed(CHECKPOINT, Ed25519PrivateKey.from_private_bytes(bytes(32))),
])  # fmt: skip
def test_what_this_key_has_not_signed_is_no_checkpoint(wrong: str) -> None:
    with pytest.raises(Unverified):
        OURS.read(wrong)
