"""Signed notes."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.checkpoint.note import Checkpoint, Unverified, Verifier, signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = Verifier("filing.example.cn/trail", KEY.public_key())
CHECKPOINT = Checkpoint("filing.example.cn/trail", 4711, bytes(range(32)))
NOTE = signed(CHECKPOINT, KEY)
WITNESS = "— witness.example " + base64.b64encode(bytes(68)).decode() + "\n"


def test_a_public_key_is_written_in_the_format_of_signed_notes() -> None:
    """The example of Go's package note."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(Verifier.of_text(f"{text}\n")) == text
    assert str(Verifier.of_text(str(VERIFIER))) == str(VERIFIER)


@pytest.mark.parametrize("text", [
    "", "x", "a+b+c", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T", "PeterNeumann+c74f20a3+Ag==",
])  # fmt: skip
def test_a_malformed_public_key_is_refused(text: str) -> None:
    with pytest.raises(Unverified):
        Verifier.of_text(text)


def test_a_checkpoint_may_have_signatures_of_others() -> None:
    assert NOTE.startswith("filing.example.cn/trail\n4711\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— filing")
    assert VERIFIER.read(NOTE) == CHECKPOINT
    assert VERIFIER.read(f"{NOTE}{WITNESS}") == CHECKPOINT
    text, _blank, signature = NOTE.rpartition("\n\n")
    assert VERIFIER.read(f"{text}\n\n{WITNESS}{signature}") == CHECKPOINT


@pytest.mark.parametrize("wrong", [
    "", "\n", "\n\n", NOTE.replace("4711", "4712"), NOTE.replace("4711", "04711"), NOTE.replace("AAEC", "AAED"),
    NOTE.replace("\n\n", "\nmore\n\n"), NOTE.rpartition("— ")[0], NOTE.replace("— ", "- "), NOTE[:-9],
    NOTE.replace("filing.example.cn", "filing.example.com"), NOTE.replace("\n", "\r\n"),
    signed(Checkpoint("another.example/trail", 4711, bytes(32)), KEY),
    signed(CHECKPOINT, Ed25519PrivateKey.from_private_bytes(bytes(32))),
])  # fmt: skip
def test_a_note_not_signed_with_this_key_is_refused(wrong: str) -> None:
    with pytest.raises(Unverified):
        VERIFIER.read(wrong)
