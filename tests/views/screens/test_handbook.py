"""运行手册: the operator reads there what each word of the monitoring page and each command is for."""

import re
from html import unescape

import click
import pytest
from flask import Flask

from app import SETTINGS
from tests.browsing import ClientAs

HEALTH = {
    "database", "restore", "store", "missing", "keys", "papers", "papers_set_aside", "mail", "held",
    "reminders", "reminders_failed", "checkpoint", "witness",
    "deliverer", "overdue", "unanswered", "set_aside", "rejected", "cards", "virus", "receipts",
}  # fmt: skip


@pytest.fixture
def handbook(client_as: ClientAs) -> str:
    """The page as the operator reads it."""
    return unescape(client_as("operator").get("/handbook/").text)


def test_the_handbook_explains_every_word_of_healthz(handbook: str) -> None:
    assert set(re.findall(r"<td><code><span>([a-z_]+)</span></code>", handbook)) == HEALTH


def test_every_command_and_setting_of_the_handbook_exists(app: Flask, handbook: str) -> None:
    text = re.sub("<[^>]+>", "", handbook)
    found = re.findall(r"\bfiling((?: [a-z][a-z-]+)+)", text)
    assert len(found) > 30
    for words in found:
        command: click.Command | None = app.cli
        for word in words.split():
            assert isinstance(command, click.Group), words
            command = command.get_command(click.Context(command), word)
        assert command and not isinstance(command, click.Group), words
    for name in re.findall(r"FILING_([A-Z]+(?:_[A-Z]+)*)", text):
        assert name in SETTINGS, name


def test_only_the_operator_can_read_the_handbook(client_as: ClientAs) -> None:
    for person in ("publisher", "reviewer", "national"):
        assert client_as(person).get("/handbook/").status_code == 403
        assert "/handbook/" not in client_as(person).get("/", follow_redirects=True).text
    assert client_as(None).get("/handbook/").status_code == 302
