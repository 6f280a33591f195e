"""A program that follows the changes gets each one once, also during parallel writes."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models import access
from models.application import Application, trail
from models.vocabulary import Action
from tests import ROOT
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.views.api.reading import Program, program
from tests.views.api.test_applications import number_of
from views.api import changes

FEED = "/api/v1/changes/applications"


def read_changes(reads: Program, since: str = "0", limit: int = 50) -> tuple[list[str], str, bool]:
    """(numbers, where to go on, whether there is more already)."""
    page = reads.get(f"{FEED}?changed_since={since}&limit={limit}").get_json()
    return [item["number"] for item in page["items"]], page["next"], page["more"]


def test_a_program_gets_each_change_once(app: Flask, make_application: MakeApplication, client_as: ClientAs) -> None:
    """In the order of the last change; a row that changes again is returned again; without changes `next` stays."""
    keys = [make_application(status="pending") for _n in range(3)]
    first, second, third = (number_of(app, key) for key in keys)
    reads = program(app, "reviewer")
    assert read_changes(reads, limit=2)[::2] == ([first, second], True)
    assert read_changes(reads, read_changes(reads, limit=2)[1]) == ([third], read_changes(reads)[1], False)
    place = read_changes(reads)[1]
    client_as("reviewer").post("/review/return/", data={"id": keys[0], "opinion": "请补充材料"})
    again = read_changes(reads, place)
    assert again[0] == [first]
    assert read_changes(reads, again[1]) == ([], again[1], False)
    assert read_changes(reads)[0] == [second, third, first]


def test_a_claim_by_a_reviewer_is_not_shown_to_the_applicant(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """接办 is not in the changes of the applicant."""
    key = make_application(status="pending")
    reads = program(app, "publisher")
    place = read_changes(reads)[1]
    client_as("reviewer").post("/review/take/", data={"id": key})
    assert read_changes(reads, place) == ([], place, False)


def test_the_recipe_of_the_readme_keeps_a_copy_up_to_date(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """The very text of README, run against the interface."""
    (recipe,) = re.findall(r"```python\n(def follow.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(recipe, names)
    reads, copy, place = program(app, "reviewer"), dict[str, Any](), "0"
    get = lambda address: reads.get(address).get_json()  # noqa: E731
    keys = [make_application(status="pending") for _n in range(3)]
    place = names["follow"](get, copy, place)
    client_as("reviewer").post("/review/return/", data={"id": keys[1], "opinion": "请补充材料"})
    place = names["follow"](get, copy, place)
    copied = {number: item["status"]["code"] for number, item in copy.items()}
    assert copied == {item["number"]: item["status"]["code"] for item in reads.items()}
    assert [*copied.values()].count("returned") == 1


@contextmanager
def writing(app: Flask, key: int) -> Iterator[Session]:
    """A transaction that has added an entry to the trail of this application, and has not ended."""
    with app.app_context(), access.everything() as session:
        row = session.get_one(Application, key)
        trail.record(session, row, Action.PRINT, account_of("publisher"), row.status)
        yield session
        session.rollback()


def in_a_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    return thread, found


@pytest.mark.slow
@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_an_act_that_commits_late_with_an_earlier_id_is_not_missed(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page waits for it, not for acts that begin later; no act waits for the page."""
    monkeypatch.setattr(changes, "PATIENCE", 60)
    keys = [make_application(status="filed") for _n in range(3)]
    early, late, later = (number_of(app, key) for key in keys)
    reads = program(app, "publisher")
    place = read_changes(reads)[1]
    with writing(app, keys[0]) as first:
        with writing(app, keys[1]) as second:
            second.commit()
        thread, found = in_a_thread(lambda: read_changes(reads, place))
        thread.join(1)
        assert found == []
        with writing(app, keys[2]) as third:  # gets its id now, and stays
            first.commit()
            thread.join(60)
            ((numbers, where, more),) = found
            assert (numbers, more) == ([early, late], False)
            third.commit()
    assert read_changes(reads, where)[0] == [later]


@pytest.mark.slow
@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_a_long_transaction_makes_the_program_ask_again(
    app: Flask, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PATIENCE", 0.1)
    keys = [make_application(status="filed") for _n in range(2)]
    reads = program(app, "publisher")
    place = read_changes(reads)[1]
    with writing(app, keys[0]) as first:
        with writing(app, keys[1]) as second:
            second.commit()
        assert read_changes(reads, place) == ([], place, True)
        first.rollback()
    assert read_changes(reads, place)[0] == [number_of(app, keys[1])]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", ["changed_since=-1", "changed_since=", "changed_since=00", "limit=0", "status=filed"])
def test_an_invalid_parameter_is_refused(app: Flask, query: str) -> None:
    answer = program(app, "publisher").get(f"{FEED}?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_the_document_describes_the_refusal(app: Flask) -> None:
    paths = app.test_client().get("/api/v1/openapi.json").get_json()["paths"]
    described = {address for address, path in paths.items() if "410" in path["get"]["responses"]}
    assert described == {"/api/v1/changes/applications", "/api/v1/changes/certificates"}
