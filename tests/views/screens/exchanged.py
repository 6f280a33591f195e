"""Messages to customs of an application."""

from typing import Any

from tests.views.terminal.delivered import messages


def only(record: dict[str, list[dict[str, Any]]]) -> str:
    """The id of the only message of an application."""
    (name,) = messages(record)
    return name
