"""The signed code of the QR picture."""

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from models.signing.check_code import KEY, LONGEST, SIGNATURE, Facts, Forged, StatusList, read, standing
from models.signing.signed_code import signed

OWN, NEIGHBOUR = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = [("440000", NEIGHBOUR.public_key()), ("320000", OWN.public_key())]
FACTS = Facts("Z3220260000017", date(2026, 11, 24), "江苏文艺音像出版社", "黑胶唱片《茉莉花》", "ab" * 32)
CODE = signed(FACTS, OWN)


def test_a_code_contains_the_signed_facts_and_is_deterministic() -> None:
    assert read(CODE, KEYS) == FACTS
    assert signed(FACTS, OWN) == CODE
    assert read(f"https://filing.example/verify/{FACTS.number}?c={CODE}", KEYS) == FACTS
    assert read(f"  {CODE}\n", KEYS) == FACTS


def test_no_character_of_a_code_can_be_altered() -> None:
    """Not even in the unused bits of base64; nor can a character be removed or inserted."""
    for n, sign in enumerate(CODE):
        other = CODE[:n] + chr(ord(sign) ^ 1 if sign not in "-_@[`{/:" else ord("A")) + CODE[n + 1 :]
        for altered in (other, CODE[:n] + CODE[n + 1 :], CODE[:n] + "A" + CODE[n:]):
            if altered != CODE:
                with pytest.raises(Forged):
                    read(altered, KEYS)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert sum(_reads(CODE[:-1] + sign) for sign in last) == 1


def _reads(code: str) -> bool:
    try:
        return read(code, KEYS) == FACTS
    except Forged:
        return False


@given(
    st.text(max_size=400)
    | st.binary(min_size=100, max_size=400).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_any_other_text_raises_forged_and_no_other_error(text: str) -> None:
    with pytest.raises(Forged):
        read(text, KEYS)


def test_only_the_province_of_the_number_can_sign_it() -> None:
    """Not with another province's key, an unpublished key, or without any key."""
    for code, keys in ((signed(FACTS, NEIGHBOUR), KEYS), (CODE, KEYS[:1]), (CODE, [])):
        with pytest.raises(Forged):
            read(code, keys)


def test_codes_signed_with_a_former_key_are_still_valid() -> None:
    """After a key rotation the old public key remains beside the new one."""
    new = Ed25519PrivateKey.generate()
    keys = [("320000", new.public_key()), *KEYS]
    assert read(CODE, keys) == read(signed(FACTS, new), keys) == FACTS


@pytest.mark.slow
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_signed_and_long_text_is_shortened(holder: str, title: str) -> None:
    """Telephones cannot read a picture with more than twice sixty characters from paper."""
    facts = Facts(FACTS.number, FACTS.issued_on, holder, title, FACTS.digest)
    found = read(signed(facts, OWN), KEYS)
    for decoded, text in ((found.holder, holder), (found.title, title)):
        text = " ".join(text.split())
        assert decoded == text if len(text) <= LONGEST else decoded == text[: LONGEST - 1] + "…"
    assert len(signed(facts, OWN)) <= 900


SECOND = replace(FACTS, kind="Z", signed_on=date(2026, 11, 25), valid_until=date(2027, 11, 24))


@pytest.mark.parametrize("facts", [FACTS, SECOND, replace(SECOND, valid_until=None)])
def test_codes_of_both_versions_are_read_with_their_own_facts(facts: Facts) -> None:
    assert read(signed(facts, OWN), KEYS) == facts


def test_fields_added_by_a_later_version_are_ignored() -> None:
    message = SECOND.message() + "\n又一行".encode()
    head = base64.urlsafe_b64decode(CODE + "==")[: 1 + KEY]
    raw = head + OWN.sign(message) + message
    assert len(OWN.sign(message)) == SIGNATURE
    assert read(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), KEYS) == SECOND


MADE = datetime(2026, 11, 25, 8, tzinfo=UTC)
LIST = StatusList("320000", 2026, MADE, MADE + timedelta(days=3), bytes(100))
VOID = replace(LIST, bits=b"\x40" + bytes(99))  # of serial number 1


@pytest.mark.parametrize(
    ("status_list", "after", "word"),
    [
        (LIST, timedelta(days=1), "valid"),
        (LIST, timedelta(days=4), "stale"),
        (LIST, -timedelta(days=1), "future"),
        (VOID, timedelta(days=1), "void"),
        (VOID, timedelta(days=400), "void"),
        (replace(LIST, province="440000"), timedelta(days=1), "foreign"),
        (replace(LIST, year=2025), timedelta(days=1), "foreign"),
        (replace(LIST, bits=b""), timedelta(days=1), "foreign"),
        (replace(LIST, expires_at=MADE + timedelta(days=999)), timedelta(days=370), "expired"),
    ],
)
def test_a_status_list_proves_the_status_of_a_certificate_within_its_validity(
    status_list: StatusList, after: timedelta, word: str
) -> None:
    assert standing(SECOND, status_list, MADE + after) == word
