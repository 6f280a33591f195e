"""Rate limits of API keys: guessing is limited, valid keys are not affected."""

import pytest
from flask import Flask

from models.people import api_keys
from tests.views.api.reading import LIST, Program, program

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_unknown_keys_are_rate_limited_and_valid_keys_are_not(app: Flask) -> None:
    """Programs with valid keys continue while others of their office use invalid ones."""
    reads = program(app, "publisher")
    reads.get(LIST)
    wrong = [Program(app, f"filing_{n:043d}").get(LIST) for n in range(21)]
    assert [answer.status_code for answer in wrong] == [401] * 20 + [429]
    assert wrong[-1].headers["Retry-After"] == "60"
    assert reads.get(LIST).status_code == 200


def test_rate_limited_and_repeated_keys_cause_no_query(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        Program(app, f"filing_{number:043d}").get(LIST)
    monkeypatch.delattr(api_keys, "key_of")
    assert Program(app, f"filing_{20:043d}").get(LIST).status_code == 429
    assert Program(app, f"filing_{19:043d}").get(LIST).status_code == 401


def test_a_program_with_a_revoked_key_does_not_block_its_office(app: Flask) -> None:
    ended = Program(app, f"filing_{0:043d}")
    assert {ended.get(LIST).status_code for _n in range(30)} == {401}
    assert program(app, "publisher").get(LIST).status_code == 200


def test_a_key_reads_120_times_a_minute(app: Flask) -> None:
    reads = program(app, "publisher")
    assert {reads.get("/api/v1/key").status_code for _n in range(120)} == {200}
    answer = reads.get("/api/v1/key")
    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert program(app, "publisher").get("/api/v1/key").status_code == 200
