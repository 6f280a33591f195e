"""ETag and If-None-Match: a program that has the answer gets 304 without a body."""

from flask import Flask

from models import access
from models.application import Application
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.api.reading import LIST, program


def test_an_unchanged_answer_is_not_sent_again(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """List and item alike; once the application has changed, its new state is sent."""
    key = make_application(status="pending")
    with app.app_context(), access.everything() as session:
        number = session.get_one(Application, key).number
    reads = program(app, "reviewer")
    before = {address: reads.get(address) for address in (LIST, f"{LIST}/{number}")}
    for address, first in before.items():
        again = reads.get(address, **{"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code, again.data) == (200, 304, b""), address
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    client_as("reviewer").post("/review/return/", data={"id": key, "opinion": "请补充材料"})
    for address, first in before.items():
        changed = reads.get(address, **{"If-None-Match": first.headers["ETag"]})
        assert (changed.status_code, changed.headers["ETag"] == first.headers["ETag"]) == (200, False), address


def test_the_etag_of_a_foreign_application_tells_nothing(app: Flask, make_application: MakeApplication) -> None:
    """Not even with `*`, which asks whether there is any answer at all."""
    key = make_application(status="pending")
    with app.app_context(), access.everything() as session:
        number = session.get_one(Application, key).number
    own, foreign = program(app, "reviewer"), program(app, "publisher2")
    for etag in (own.get(f"{LIST}/{number}").headers["ETag"], "*"):
        assert own.get(f"{LIST}/{number}", **{"If-None-Match": etag}).status_code == 304
        answer = foreign.get(f"{LIST}/{number}", **{"If-None-Match": etag})
        assert (answer.status_code, answer.headers.get("ETag")) == (404, None)
    unseen = foreign.get(LIST, **{"If-None-Match": own.get(LIST).headers["ETag"]})
    assert (unseen.status_code, unseen.get_json()["items"]) == (200, [])


def test_a_refused_request_has_no_etag(app: Flask) -> None:
    answer = program(app, "reviewer").get(f"{LIST}/SQ000000000000")
    assert (answer.status_code, answer.headers.get("ETag")) == (404, None)


def test_every_operation_of_the_document_has_the_answer_304(app: Flask) -> None:
    paths = app.test_client().get("/api/v1/openapi.json").get_json()["paths"]
    without = [address for address, path in paths.items() if "304" not in path["get"]["responses"]]
    assert paths and without == []
