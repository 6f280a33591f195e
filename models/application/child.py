"""Base classes of rows that belong to an application: carriers, attachments, trail, certificate, messages."""

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


class OfApplication:
    """A row of an application, with a column for it, and a rule of its own on who may read it (models/access)."""

    on_replica = True  # may be read from there (models/database/replica.py)
    if TYPE_CHECKING:
        application_id: Mapped[int]


class Child(OfApplication):
    """A row of an application, readable by everybody who may read the application."""

    @declared_attr
    def application_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("application.id", ondelete="RESTRICT"), index=True)
