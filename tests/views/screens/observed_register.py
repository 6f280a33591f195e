"""The real register as the machine of test_many_actors.py compares it with its model."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select

from models import access
from models.application import Application
from models.customs import CustomsMessage
from models.database import db
from tests.apps import engine_of_owner
from tests.cast import account_of
from tests.views.screens.expected_register import PEOPLE, Register

# Everything that an act may change; a refused one must leave all of it as it was.
WATCHED = (
    "account", "application", "attachment", "carrier", "case_lease", "certificate", "certificate_use",
    "customs_message", "entrustment", "notification", "trail_entry", "typed_form",
)  # fmt: skip


@dataclass
class Observed:
    """The rows of WATCHED by table, read without row security."""

    rows: dict[str, list[dict[str, Any]]]

    def by_application(self, table: str, *names: str) -> dict[int, list[tuple[Any, ...]]]:
        """Application id → these columns of its rows, in order."""
        found = defaultdict(list)
        for row in self.rows[table]:
            found[row["application_id"]].append(tuple(row[name] for name in names))
        return found

    def application(self, key: int) -> dict[str, Any]:
        return next(row for row in self.rows["application"] if row["id"] == key)

    def files(self, key: int) -> list[int]:
        """Ids of the present files of an application."""
        files = self.rows["attachment"]
        return [row["id"] for row in files if row["application_id"] == key and row["removed_at"] is None]


def observe(app: Flask) -> Observed:
    tables, rows = [db.metadata.tables[name] for name in WATCHED], {}
    with app.app_context(), engine_of_owner(app).connect() as connection:
        for table in tables:
            found = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            rows[table.name] = [dict(row) for row in found]
    # Opinions that reviewers have typed are stored there, too, also with a refused act.
    rows["typed_form"] = [row for row in rows["typed_form"] if "title" in row["fields"]]
    return Observed(rows)


def compare(expected: Register, observed: Observed, states: dict[int, list[str]]) -> None:
    """Status, trail, outbox, files and certificates of every case are those of the model. `states`: of messages."""
    names = {row["id"]: row["username"] for row in observed.rows["account"]} | {None: ""}
    entries = observed.by_application("trail_entry", "act", "actor_id")
    messages = observed.by_application("customs_message", "act")
    issued, uses = (
        observed.by_application("certificate", "number"),
        observed.by_application("certificate_use", "reference"),
    )
    typed = observed.by_application("typed_form", "account_id")
    assert {row["id"] for row in observed.rows["application"]} == {case.key for case in expected.cases}
    for case in expected.cases:
        row = observed.application(case.key)
        assert (row["status"], row["deleted_at"] is not None) == (case.status, case.deleted), case
        assert [(act, names[actor]) for act, actor in entries[case.key]] == case.entries, case
        assert [act for (act,) in messages[case.key]] == [message.act for message in case.messages], case
        assert states.get(case.key, []) == [message.state for message in case.messages], case
        assert len(observed.files(case.key)) == len(case.files), case
        assert len(issued[case.key]) == case.has("grant"), case
        assert [reference for (reference,) in uses[case.key]] == [reference for _entry, reference in case.uses], case
        assert [names[by] for (by,) in typed[case.key]] == [case.owner] * case.is_typed, case
    numbers = [row["number"] for row in observed.rows["certificate"]]
    assert len(numbers) == len(set(numbers))


def states_of_messages(app: Flask) -> dict[int, list[str]]:
    """Application id → the states of its messages to customs, in order."""
    found = defaultdict(list)
    with app.app_context(), access.everything() as session:
        for message in session.scalars(select(CustomsMessage).order_by(CustomsMessage.id)):
            found[message.application_id].append(str(message.state.value))
    return found


def compare_sight(app: Flask, expected: Register) -> None:
    """In the session of each person exactly the rows are found that the model lets them see."""
    for person in PEOPLE:
        with app.app_context():
            access.enter(account_of(person.name))
            found = set(db.session.scalars(select(Application.id)))
        if person.name not in expected.disabled:
            assert found == {case.key for case in expected.cases if expected.sees(person, case)}, person
