"""Certificates by the interface: whose each role reads, and what of them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from models import access
from models.application import Application
from models.certificate.uses import CertificateUse, Usage
from models.clock import now
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.api.reading import Program, program

LIST = "/api/v1/certificates"
# Who filed it, and how far it has come; who reads its certificate. By hand, from design 2.4.
ROWS = """
                     publisher publisher2 agent reviewer reviewer2 national
publisher  pending   -         -          -     -        -         -
publisher  refused   -         -          -     -        -         -
publisher  filed     yes       -          -     yes      -         yes
publisher  revoked   yes       -          -     yes      -         yes
publisher2 filed     -         yes        -     yes      -         yes
agent      customs_received - -           yes   yes      -         yes
pub44      filed     -         -          -     -        yes       yes
"""


def certificate_of(app: Flask, key: int) -> str | None:
    with app.app_context(), access.everything() as session:
        certificate = session.get_one(Application, key).certificate
        return certificate and certificate.number


def items(reads: Program, query: str = "") -> list[dict[str, Any]]:
    answer = reads.get(LIST + query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


@pytest.mark.slow
def test_each_role_reads_what_it_sees_on_its_screens_and_no_other_certificate(
    app: Flask, make_application: MakeApplication, make_publisher: Callable[..., str]
) -> None:
    """List, one by one, changes; one of others and one that does not exist are answered alike."""
    make_publisher("440000")
    head, *lines = (line.split() for line in ROWS.strip().splitlines())
    keys = [make_application(by=by.replace("pub44", "publisher440000"), status=status) for by, status, *_cells in lines]
    numbers = [certificate_of(app, key) for key in keys]
    for column, who in enumerate(head):
        reads = program(app, who)
        visible = {number for number, (_b, _s, *cells) in zip(numbers, lines, strict=True) if cells[column] == "yes"}
        assert {item["number"] for item in items(reads)} == visible, who
        changed = reads.get("/api/v1/changes/certificates").get_json()["items"]
        assert {item["number"] for item in changed} == visible, who
        for number in filter(None, numbers):
            answers = [reads.get(f"{LIST}/{number}", method) for method in ("GET", "HEAD")]
            assert [answer.status_code for answer in answers] == [200 if number in visible else 404] * 2, who
    absent, foreign = (program(app, "publisher").get(f"{LIST}/{number}") for number in ("Z3220260000016", numbers[4]))
    assert absent.data == foreign.data


def test_a_certificate_shows_its_status_uses_and_revocation(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """Valid, used, revoked: status, moment of the revocation, and uses reported by customs."""
    key = make_application(status="customs_received")
    reads = program(app, "publisher")
    (valid,) = items(reads)
    assert (valid["status"]["code"], valid["revoked_at"], valid["uses"]) == ("customs_received", None, [])
    assert (valid["replaces"], valid["valid_until"]) == (None, None)
    with app.app_context(), access.everything() as session:
        row = session.get_one(Application, key)
        assert row.certificate is not None
        assert valid["application"] == row.number
        session.add(
            CertificateUse(
                application_id=key, certificate_id=row.certificate.id, usage=Usage.NOTED, at=now(),
                reference="220120260001", receipt_id=a_receipt(session), place=0, recorded_at=now(),
            )
        )  # fmt: skip
        session.commit()
    client_as("reviewer").post("/filings/revoke/", data={"id": key, "opinion": "印制有误", "reason": "other"})
    revoked = reads.get(f"{LIST}/{valid['number']}").get_json()
    assert (revoked["status"]["code"], revoked["replaced_by"]) == ("revoked", None)
    assert revoked["revoked_at"].endswith("+08:00")
    assert [(use["usage"]["code"], use["reference"]) for use in revoked["uses"]] == [("noted", "220120260001")]


def a_receipt(session: Any) -> int:
    from models.customs.receipt import CustomsReceipt

    receipt = CustomsReceipt(received_at=now(), name="r.xml", digest="0" * 64, raw=b"<r/>")
    session.add(receipt)
    session.flush()
    return receipt.id


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", ["Z0000", "%00", "%ED%A0%80", "Z3220260000011"])
def test_a_malformed_number_finds_no_certificate(app: Flask, number: str) -> None:
    assert program(app, "national").get(f"{LIST}/{number}").status_code == 404


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_one_certificate_takes_as_many_queries_as_ten(app: Flask, make_application: MakeApplication) -> None:
    from tests.views.panel.test_exported_rows import queries

    reads, counted = program(app, "national"), []
    for _turn in range(2):
        for _n in range(1 + 2 * len(counted)):
            make_application(status="filed")
        items(reads)  # the use of the key is written once a minute
        with queries(app) as sent:
            items(reads)
        counted.append(len(sent))
    assert counted[0] == counted[1]
