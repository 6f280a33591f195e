"""What belongs to an application: carriers, attachments, trail, certificate, messages."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


class Child:
    """A row that belongs to an application and is seen exactly by those who see the application (access.py)."""

    @declared_attr
    def application_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("application.id", ondelete="RESTRICT"), index=True)
