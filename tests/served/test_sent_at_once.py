"""One page of a form sent many times at once, as by an impatient person or a proxy that tries again."""

import re
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from models import access
from models.application import Application
from tests.serving import Answer, Server
from tests.views.pages import form_of


def test_a_blank_form_sent_in_parallel_makes_one_draft(served: Server) -> None:
    """Twenty at once: each is answered like the first."""
    client = served.client("publisher")
    client.find_token()
    form = form_of(client.get("/applications/new/").text) | {"title": "只有一份的题名"}

    def send(_number: int) -> Answer:
        return client.post("/applications/new/", form)

    with ThreadPoolExecutor(20) as together:
        answers = list(together.map(send, range(20)))
    assert {answer.status for answer in answers} == {302}
    assert len({answer.location for answer in answers}) == 1
    with served.app.app_context(), access.everything() as session:
        made = session.scalars(select(Application.id).where(Application.page_key == form["page_key"])).all()
        assert len(made) == 1
        assert re.search(rf"id={made[0]}$", answers[0].location)


def test_a_draft_saved_elsewhere_meanwhile_is_a_conflict_on_the_blank_form(served: Server) -> None:
    """No request fails, and the typed values are in the form."""
    client = served.client("publisher")
    client.find_token()
    form = form_of(client.get("/applications/new/").text) | {"title": "两处同时保存的题名"}
    edit = client.post("/applications/new/", form).location

    def send(number: int) -> Answer:
        page = form_of(client.get(edit).text)
        if number % 2:
            return client.post(edit, page | {"page_key": form["page_key"]})
        return client.post("/applications/new/", form)

    with ThreadPoolExecutor(8) as together:
        answers = list(together.map(send, range(24)))
    assert {answer.status for answer in answers} <= {302, 409}
    assert all("两处同时保存的题名" in answer.text for answer in answers if answer.status == 409)


def test_one_of_many_parallel_saves_of_the_settings_wins_and_the_others_keep_their_typed_values(
    served: Server,
) -> None:
    clients = [served.client("reviewer") for _time in range(6)]
    forms = [form_of(client.get("/province/").text, "card-box") for client in clients]

    def send(number: int) -> Answer:
        return clients[number].post("/province/", forms[number] | {"extend_days": str(11 + number)})

    with ThreadPoolExecutor(6) as together:
        answers = list(together.map(send, range(6)))
    assert sorted(answer.status for answer in answers) == [302, 422, 422, 422, 422, 422]
    assert all("已被他人修改" in answer.text for answer in answers if answer.status == 422)
