"""Base class of rows that belong to an application: carriers, attachments, trail, certificate, messages."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


class Child:
    """A row of an application, readable by everybody who may read the application (models/access)."""

    on_replica = True  # may be read from there (models/database/replica.py)

    @declared_attr
    def application_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("application.id", ondelete="RESTRICT"), index=True)
