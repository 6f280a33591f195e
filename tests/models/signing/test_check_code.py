"""The signed code of the QR picture, and the typed 校验码."""

import base64
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from models.signing import check_code
from models.signing.check_code import (
    LONGEST,
    SIGNS,
    Facts,
    Forged,
    matches_typed_code,
    new_typed_code,
    plain,
    read,
    signed,
)

OWN, NEIGHBOUR = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = [("440000", NEIGHBOUR.public_key()), ("320000", OWN.public_key())]
FACTS = Facts("Z3220260000017", date(2026, 11, 24), "江苏文艺音像出版社", "黑胶唱片《茉莉花》", "ab" * 32)
CODE = signed(FACTS, OWN)


def test_a_code_contains_what_was_signed_and_is_deterministic() -> None:
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
    """Rotation: the old public key stays beside the new one."""
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


def test_a_typed_code_has_sixty_random_bits_and_no_look_alikes() -> None:
    """AC7: from `secrets`, not derived from the number."""
    codes = {new_typed_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert set("".join(codes)) == set(SIGNS)
    assert {len(code) for code in codes} == {12}
    assert len(SIGNS) == 32
    assert not set("ILOU") & set(SIGNS)


@pytest.mark.parametrize(
    "typed", ["01ab-23cd-45ef", "OLAB 23CD 45EF", "oiab23cd45ef", "０１ＡＢ－２３ＣＤ－４５ＥＦ", " 01AB—23CD—45EF "]
)
def test_a_typed_code_matches_in_any_spelling(typed: str) -> None:
    assert matches_typed_code(typed, "01AB23CD45EF")


@pytest.mark.parametrize("typed", ["", "01AB23CD45E", "01AB23CD45EFF", "01AB23CD45EG", "查", "\ud800" * 12])
def test_any_other_text_does_not_match(typed: str) -> None:
    assert not matches_typed_code(typed, "01AB23CD45EF")
    assert not matches_typed_code(typed, "")


def test_without_a_stored_code_nothing_matches() -> None:
    """When no code is stored, the empty code matches nothing either."""
    assert not matches_typed_code("", "")
    assert plain(" z32-2026 ") == "Z322026"
    assert check_code.TYPED_LENGTH == 12
