"""Status of an application, and ids of its messages."""

from typing import Any

from models.vocabulary import Status


def status(record: dict[str, list[dict[str, Any]]]) -> Status:
    """The status of the application on record."""
    return Status(record["application"][0]["status"])


def messages(record: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The ids of its messages, oldest first."""
    return [row["message_id"] for row in record["customs_message"]]
