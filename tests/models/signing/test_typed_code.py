"""The 校验码 that a person types."""

import pytest

from models.signing.typed_code import SIGNS, TYPED_LENGTH, matches_typed_code, new_typed_code, plain


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


def test_a_certificate_without_a_stored_code_matches_no_text() -> None:
    """When no code is stored, the empty code matches nothing either."""
    assert not matches_typed_code("", "")
    assert plain(" z32-2026 ") == "Z322026"
    assert TYPED_LENGTH == 12
