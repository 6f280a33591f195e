"""电子证照标识: its parts and check character, and what stops the start."""

import click
import pytest

from app import create_app
from models.certificate.licence_identifier import LicenceCodes, identifier

PUBLISHED = [
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
]
CODES = LicenceCodes("11100000000013338W999", {"320000": "11320000014000000X"})


@pytest.mark.parametrize("whole", PUBLISHED)
def test_published_identifiers_have_the_computed_check_character(whole: str) -> None:
    type_code, issuer, serial, version, _check = whole.split(".")[5:]
    assert identifier(type_code, issuer, serial, version) == whole


def test_a_certificate_has_an_identifier_if_its_province_has_a_code() -> None:
    found = CODES.identifier("Z32202600000153")
    assert found is not None
    assert found.startswith("1.2.156.3005.2.11100000000013338W999.11320000014000000X.Z32202600000153.001.")
    assert CODES.identifier("Z44202600000153") is None
    assert LicenceCodes("", CODES.issuers).identifier("Z32202600000153") is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"LICENCE_TYPE": "x"}, "FILING_LICENCE_TYPE 应为 18 位机构代码加 3 位数字"),
        ({"LICENCE_ISSUERS": {"99": CODES.issuers["320000"]}}, "FILING_LICENCE_ISSUERS__99"),
        ({"LICENCE_ISSUERS": {"320000": "short"}}, "FILING_LICENCE_ISSUERS__320000"),
        ({"LICENCE_ISSUERS": "x"}, "FILING_LICENCE_ISSUERS__"),
    ],
)
def test_an_invalid_authority_code_stops_the_start(settings: dict[str, object], words: str) -> None:
    with pytest.raises(click.ClickException, match=words):
        create_app({"SECRET_KEY": "s", "SQLALCHEMY_DATABASE_URI": "sqlite://"} | settings)
