"""运行手册: the operator reads there what each word of the monitoring page and each command is for."""

import re
from collections.abc import Callable
from html import unescape

import click
import pytest
from flask import Flask

from app import SETTINGS
from tests.browsing import Browser

As = Callable[[str | None], Browser]
HEALTH = {
    "database", "restore", "store", "missing", "keys", "papers", "papers_set_aside", "mail",
    "reminders", "reminders_failed",
    "deliverer", "overdue", "unanswered", "set_aside", "rejected",
}  # fmt: skip


@pytest.fixture
def handbook(as_: As) -> str:
    """The page as the operator reads it."""
    return unescape(as_("operator").get("/handbook/").text)


def test_it_explains_every_word_of_the_monitoring_page(handbook: str) -> None:
    assert set(re.findall(r"<code>([a-z_]+)</code>", handbook)) == HEALTH


def test_every_command_and_setting_that_it_names_exists(app: Flask, handbook: str) -> None:
    for words in re.findall(r"\bfiling((?: [a-z][a-z-]+)+)", handbook):
        command: click.Command = app.cli
        for word in words.split():
            assert isinstance(command, click.Group), words
            command = command.commands[word]
        assert not isinstance(command, click.Group), words
    for name in re.findall(r"FILING_([A-Z]+(?:_[A-Z]+)*)", handbook):
        assert name in SETTINGS, name


def test_nobody_else_reads_it(as_: As) -> None:
    for person in ("publisher", "reviewer", "national"):
        assert as_(person).get("/handbook/").status_code == 403
        assert "/handbook/" not in as_(person).get("/", follow_redirects=True).text
    assert as_(None).get("/handbook/").status_code == 302
