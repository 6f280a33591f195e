"""Rows and columns of every model with row security, for statements.py."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Table,
)
from sqlalchemy.orm import (
    Session,
    make_transient_to_detached,
)

from models.application import Application
from models.application.attachments import Attachment
from models.application.carriers import Carrier
from models.application.trail import TrailEntry
from models.certificate import Certificate
from models.customs import CustomsMessage

Model = type[Any]


Statement = Callable[[Session, Model, int], Any]


Children = (Carrier, Attachment, TrailEntry, Certificate, CustomsMessage)


MODELS: tuple[Model, ...] = (Application, *Children)


TEXT_COLUMN = {  # model → a text column, for statements that write
    Application: "contact",
    Carrier: "note",
    Attachment: "name",
    TrailEntry: "opinion",
    Certificate: "signer",
    CustomsMessage: "message_id",
}


def table_of(model: Model) -> Table:
    return model.__table__  # type: ignore[no-any-return]


def parent_of(model: Model) -> Any:
    return Application.id if model is Application else model.application_id


def foreign(session: Session, key: int) -> Application:
    """An instance with the id of the foreign application, made without loading and marked as persistent."""
    application = Application(id=key)
    make_transient_to_detached(application)
    return application


def detached(model: Model, key: int, word: str = "") -> Any:
    row = model(id=key)
    make_transient_to_detached(row)
    if word:
        setattr(row, word, "x")
    return row


def list_of(model: Model) -> Any:
    names = {Carrier: "carriers", Attachment: "attachments", TrailEntry: "trail", Certificate: "certificate"}
    return getattr(Application, names.get(model, "carriers"))
