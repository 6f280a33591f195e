"""Rows that SQLAlchemy loads together with others: eagerly by loader options, or lazily."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    select,
)
from sqlalchemy.orm import (
    Session,
    immediateload,
    joinedload,
    lazyload,
    selectinload,
    subqueryload,
)

from models.application import Application
from models.application.child import Child
from tests.models.rows import Model, Statement, list_of

LOADERS = (selectinload, joinedload, subqueryload, immediateload, lazyload)


def loaded_with(loader: Any) -> Statement:
    def way(s: Session, m: Model, k: int) -> Any:
        if m is Application:
            query = select(Application).options(loader(Application.carriers), loader(Application.certificate))
            return s.scalars(query.where(Application.id == k).limit(5)).unique().all()
        return s.scalars(select(m).options(loader(m.application)).where(m.application_id == k).limit(5)).unique().all()

    return way


def lazy_load(session: Session, application: Application, model: Model) -> Iterable[Any]:
    session.enable_relationship_loading(application)
    found = getattr(application, list_of(model).key)
    return found if isinstance(found, list) else [found] if found else []


def lazy_load_parent(session: Session, model: Model, key: int) -> Any:
    child: Child = model(application_id=key)
    session.enable_relationship_loading(child)
    return child.application  # type: ignore[attr-defined]
