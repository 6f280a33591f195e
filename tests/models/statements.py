"""Every way to reach a row through SQLAlchemy, to be attempted on rows that the session's account must not see."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    case,
    delete,
    exists,
    func,
    insert,
    lambda_stmt,
    literal,
    literal_column,
    select,
    text,
    true,
    union,
    union_all,
    update,
)
from sqlalchemy.orm import (
    Bundle,
    Session,
    aliased,
    contains_eager,
    defer,
    load_only,
    undefer,
    with_parent,
)

from models.application import Application
from models.certificate import Certificate
from models.people.accounts import Account, Organisation
from tests.models.loaders import LOADERS, lazy_load, lazy_load_parent, loaded_with
from tests.models.rows import TEXT_COLUMN, Model, Statement, detached, foreign, list_of, parent_of, table_of

READS: dict[str, Statement] = {
    "get": lambda s, m, k: s.get(m, k),
    "get populate_existing": lambda s, m, k: s.get(m, k, populate_existing=True),
    "get for update": lambda s, m, k: s.get(m, k, with_for_update=True),
    "get with options": lambda s, m, k: s.get(m, k, options=[defer(getattr(m, TEXT_COLUMN[m]))]),
    "get_one": lambda s, m, k: s.get_one(m, k),
    "legacy get": lambda s, m, k: s.query(m).get(k),
    "legacy all": lambda s, m, k: [row for row in s.query(m).all() if row.id == k],
    "legacy filter": lambda s, m, k: s.query(m).filter(m.id == k).first(),
    "legacy filter_by": lambda s, m, k: s.query(m).filter_by(id=k).one_or_none(),
    "legacy count": lambda s, m, k: s.query(m).filter(m.id == k).count(),
    "legacy func count": lambda s, m, k: s.query(func.count(m.id)).filter(m.id == k).scalar(),
    "legacy exists": lambda s, m, k: s.query(s.query(m).filter(m.id == k).exists()).scalar(),
    "legacy union": lambda s, m, k: s.query(m).filter(m.id == k).union_all(s.query(m).filter(m.id == k)).all(),
    "legacy from subquery": lambda s, m, k: s.query(s.query(m).filter(m.id == k).subquery()).all(),
    "legacy with_entities": lambda s, m, k: s.query(m).filter(m.id == k).with_entities(m.id).all(),
    "select": lambda s, m, k: s.scalars(select(m).where(m.id == k)).all(),
    "select in": lambda s, m, k: s.scalars(select(m).where(m.id.in_([k]))).all(),
    "select without condition": lambda s, m, k: [row for row in s.scalars(select(m)) if row.id == k],
    "select yield_per": lambda s, m, k: list(s.scalars(select(m).where(m.id == k).execution_options(yield_per=2))),
    "select populate_existing": lambda s, m, k: s.scalars(
        select(m).where(m.id == k).execution_options(populate_existing=True)
    ).all(),
    "select for update": lambda s, m, k: s.scalars(select(m).where(m.id == k).with_for_update()).all(),
    "lambda statement": lambda s, m, k: s.execute(lambda_stmt(lambda: select(m)).spoil().where(m.id == k)).all(),
    "columns only": lambda s, m, k: s.execute(select(m.id).where(m.id == k)).all(),
    "a word only": lambda s, m, k: s.execute(select(getattr(m, TEXT_COLUMN[m])).where(m.id == k)).all(),
    "columns of the table": lambda s, m, k: s.execute(select(table_of(m).c.id).where(table_of(m).c.id == k)).all(),
    "literal column": lambda s, m, k: s.execute(select(literal_column("1")).select_from(m).where(m.id == k)).all(),
    "bundle": lambda s, m, k: s.execute(select(Bundle("b", m.id)).where(m.id == k)).all(),
    "case": lambda s, m, k: [n for n in s.scalars(select(case((m.id == k, 1), else_=0))) if n],
    "load_only": lambda s, m, k: s.scalars(select(m).options(load_only(m.id)).where(m.id == k)).all(),
    "undefer": lambda s, m, k: s.scalars(select(m).options(undefer("*")).where(m.id == k)).all(),
    "distinct": lambda s, m, k: s.execute(select(m.id).where(m.id == k).distinct()).all(),
    "count": lambda s, m, k: s.scalar(select(func.count()).select_from(m).where(m.id == k)),
    "maximum": lambda s, m, k: s.scalar(select(func.max(m.id)).where(m.id == k)),
    "group by": lambda s, m, k: s.execute(select(m.id, func.count()).where(m.id == k).group_by(m.id)).all(),
    "window": lambda s, m, k: s.execute(select(func.row_number().over(order_by=m.id)).where(m.id == k)).all(),
    "exists": lambda s, m, k: s.scalar(select(exists().where(m.id == k))),
    "exists select": lambda s, m, k: s.scalar(select(select(m.id).where(m.id == k).exists())),
    "exists of an account": lambda s, m, k: s.scalars(select(Account).where(exists().where(m.id == k))).all(),
    "scalar subquery": lambda s, m, k: s.scalars(select(select(m.id).where(m.id == k).scalar_subquery())).first(),
    "scalar subquery beside an account": lambda s, m, k: [
        found
        for found in s.scalars(select(select(m.id).where(m.id == k).scalar_subquery()).select_from(Account))
        if found
    ],
    "subquery": lambda s, m, k: s.execute(select(select(m.id).where(m.id == k).subquery())).all(),
    "alias of a subquery": lambda s, m, k: s.scalars(select(aliased(m, select(m).where(m.id == k).subquery()))).all(),
    "cte": lambda s, m, k: s.execute(select(select(m.id).where(m.id == k).cte())).all(),
    "alias of a cte": lambda s, m, k: s.scalars(select(aliased(m, select(m).where(m.id == k).cte()))).all(),
    "alias": lambda s, m, k: s.scalars(select(other := aliased(m)).where(other.id == k)).all(),
    "flat alias": lambda s, m, k: s.scalars(select(other := aliased(m, flat=True)).where(other.id == k)).all(),
    "columns of an alias": lambda s, m, k: s.execute(select((other := aliased(m)).id).where(other.id == k)).all(),
    "self join": lambda s, m, k: s.execute(
        select(m.id, (other := aliased(m)).id).join(other, other.id == m.id).where(m.id == k)
    ).all(),
    "union": lambda s, m, k: s.execute(union(select(m.id).where(m.id == k), select(m.id).where(m.id == k))).all(),
    "union with the innocent": lambda s, m, k: [
        row
        for row in s.execute(union_all(select(Account.username), select(getattr(m, TEXT_COLUMN[m])).where(m.id == k)))
        if row[0] not in {"publisher", "publisher2", "agent", "reviewer", "reviewer2", "national", "operator"}
    ],
    "alias of a union": lambda s, m, k: s.scalars(
        select(aliased(m, union_all(select(m).where(m.id == k), select(m).where(m.id == k)).subquery()))
    ).all(),
    "from_statement of a union": lambda s, m, k: s.scalars(
        select(m).from_statement(union(select(m).where(m.id == k), select(m).where(m.id == k)))
    ).all(),
    "from_statement of text": lambda s, m, k: s.scalars(
        select(m).from_statement(text(f"select * from {table_of(m).name} where id = {k}"))
    ).all(),
    "text": lambda s, m, k: s.execute(text(f"select id from {table_of(m).name} where id = {k}")).all(),
    "core": lambda s, m, k: s.execute(select(table_of(m)).where(table_of(m).c.id == k)).all(),
    "core count": lambda s, m, k: s.scalar(select(func.count()).select_from(table_of(m)).where(table_of(m).c.id == k)),
    "join from an organisation": lambda s, m, k: s.execute(
        select(Organisation.id, m.id).join(m, true()).where(m.id == k)
    ).all(),
    "outer join from an organisation": lambda s, m, k: [
        row for row in s.execute(select(Organisation.id, m.id).outerjoin(m, m.id == k)) if row[1] is not None
    ],
    "product with an account": lambda s, m, k: s.execute(select(Account.id, m.id).where(m.id == k, true())).all(),
    "join to an alias": lambda s, m, k: s.execute(
        select(m.id, (other := aliased(Application)).number).join(other, other.id == parent_of(m)).where(m.id == k)
    ).all(),
    "join from an alias": lambda s, m, k: s.execute(
        select((other := aliased(Application)).number, m.id).join(m, parent_of(m) == other.id).where(m.id == k)
    ).all(),
    "outer join from an account": lambda s, m, k: s.scalars(
        select(m.id).select_from(Account).outerjoin(m, m.id == k).where(m.id.is_not(None))
    ).all(),
    "refresh of one made by hand": lambda s, m, k: refresh(s, m, k),
    "merge": lambda s, m, k: [row for row in [s.merge(m(id=k))] if row not in s.new],
    "merge without load": lambda s, m, k: s.merge(detached(m, k), load=False),
} | {f"loaded by {loader.__name__}": loaded_with(loader) for loader in LOADERS}

# From the application's id to its children and back, for each model.
FROM_THE_APPLICATION: dict[str, Callable[[Session, Any, int], Any]] = {
    "lazy load of one made by hand": lambda s, m, k: lazy_load(s, Application(id=k), m),
    "lazy load of one marked as stored": lambda s, m, k: lazy_load(s, foreign(s, k), m),
    "lazy load from a child made by hand": lambda s, m, k: lazy_load_parent(s, m, k),
    "with_parent": lambda s, m, k: s.scalars(select(m).where(with_parent(foreign(s, k), list_of(m)))).all(),
    "any or has": lambda s, m, k: s.scalars(select(Application).where(some(m), Application.id == k)).all(),
    "has": lambda s, m, k: s.scalars(select(m).where(m.application.has(Application.id == k))).all(),
    "has of an alias": lambda s, m, k: s.scalars(
        select(other := aliased(m)).where(other.application.has(Application.id == k))
    ).all(),
    "join down": lambda s, m, k: s.execute(
        select(Application.number, m.id).join(m, m.application_id == Application.id).where(Application.id == k)
    ).all(),
    "join up": lambda s, m, k: s.execute(
        select(m.id, Application.number).join(m.application).where(Application.id == k)
    ).all(),
    "outer join up": lambda s, m, k: s.execute(
        select(m.id, Application.number).outerjoin(m.application).where(m.application_id == k)
    ).all(),
    "contains_eager": lambda s, m, k: s.scalars(
        select(m).join(m.application).options(contains_eager(m.application)).where(m.application_id == k)
    ).all(),
    "in a subquery of the application": lambda s, m, k: s.scalars(
        select(m).where(m.application_id.in_(select(Application.id).where(Application.id == k)))
    ).all(),
    "count by application": lambda s, m, k: s.execute(
        select(m.application_id, func.count()).where(m.application_id == k).group_by(m.application_id)
    ).all(),
    "sum beside an organisation": lambda s, m, k: s.scalar(
        select(
            select(func.count(m.id)).where(m.application_id == k).scalar_subquery() + literal(0),
        ).select_from(Organisation)
    ),
}

WRITES: dict[str, Statement] = {
    "returning of an update": lambda s, m, k: s.execute(
        update(m).where(m.id == k).values({TEXT_COLUMN[m]: "x"}).returning(m.id)
    ).all(),
    "returning of a deletion": lambda s, m, k: s.execute(delete(m).where(m.id == k).returning(m.id)).all(),
    "update": lambda s, m, k: s.execute(update(m).where(m.id == k).values({TEXT_COLUMN[m]: "x"})),
    "update evaluate": lambda s, m, k: s.execute(
        update(m).where(m.id == k).values({TEXT_COLUMN[m]: "x"}).execution_options(synchronize_session="evaluate")
    ),
    "update fetch": lambda s, m, k: s.execute(
        update(m).where(m.id == k).values({TEXT_COLUMN[m]: "x"}).execution_options(synchronize_session="fetch")
    ),
    "update unsynchronised": lambda s, m, k: s.execute(
        update(m).where(m.id == k).values({TEXT_COLUMN[m]: "x"}).execution_options(synchronize_session=False)
    ),
    "update of everything": lambda s, m, k: s.execute(update(m).where(m.id > 0).values({TEXT_COLUMN[m]: "x"})),
    "update by a list of keys": lambda s, m, k: s.execute(update(m), [{"id": k, TEXT_COLUMN[m]: "x"}]),
    "update in a subquery": lambda s, m, k: s.execute(
        update(m).where(m.id.in_(select((other := aliased(m)).id).where(other.id == k))).values({TEXT_COLUMN[m]: "x"})
    ),
    "legacy update": lambda s, m, k: s.query(m).filter(m.id == k).update({TEXT_COLUMN[m]: "x"}),
    "delete": lambda s, m, k: s.execute(delete(m).where(m.id == k)),
    "delete unsynchronised": lambda s, m, k: s.execute(
        delete(m).where(m.id == k).execution_options(synchronize_session=False)
    ),
    "legacy delete": lambda s, m, k: s.query(m).filter(m.id == k).delete(),
    "delete one made by hand": lambda s, m, k: s.delete(detached(m, k)),
    "change one made by hand": lambda s, m, k: change(s, m, k),
    "merge a change": lambda s, m, k: s.merge(m(**{"id": k, TEXT_COLUMN[m]: "x"})),
    "merge a change without load": lambda s, m, k: setattr(s.merge(detached(m, k), load=False), TEXT_COLUMN[m], "x"),
    "bulk_save_objects": lambda s, m, k: s.bulk_save_objects([detached(m, k, TEXT_COLUMN[m])]),
    "bulk_update_mappings": lambda s, m, k: s.bulk_update_mappings(m, [{"id": k, TEXT_COLUMN[m]: "x"}]),
    "bulk_insert_mappings": lambda s, m, k: s.bulk_insert_mappings(m, [{"id": k + 1000}]),
    "insert": lambda s, m, k: s.execute(insert(m).values(id=k + 1000)),
    "insert returning": lambda s, m, k: s.scalars(insert(m).returning(m.id), [{"id": k + 1000}]).all(),
    "insert from select": lambda s, m, k: s.execute(insert(m).from_select(["id"], select(m.id + 1000))),
    "core insert": lambda s, m, k: s.execute(insert(table_of(m)).values(id=k + 1000)),
    "core update": lambda s, m, k: s.execute(update(table_of(m)).values({TEXT_COLUMN[m]: "x"})),
    "core delete": lambda s, m, k: s.execute(delete(table_of(m))),
    "text update": lambda s, m, k: s.execute(text(f"update {table_of(m).name} set {TEXT_COLUMN[m]} = 'x'")),
}


def refresh(session: Session, model: Model, key: int) -> Any:
    row = detached(model, key)
    session.add(row)
    session.refresh(row)
    return row


def change(session: Session, model: Model, key: int) -> None:
    row = detached(model, key)
    session.add(row)
    setattr(row, TEXT_COLUMN[model], "x")


def some(model: Model) -> Any:
    return Application.certificate.has() if model is Certificate else list_of(model).any()
