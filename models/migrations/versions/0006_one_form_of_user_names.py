"""User names in one normal form: zhangsan, ZhangSan, ｚｈａｎｇｓａｎ and zhangsan + U+200B are one name.

Where several accounts have the same normal form, one keeps it and the others get a suffix: zhangsan-2. Stopping the
upgrade instead would leave the whole system down until somebody edits the database by hand. An enabled account keeps
the name before a disabled one, one whose first password was changed before one that was never used, then the oldest.
Nobody is locked out: the old name is kept in `former_username` and still signs in, typed exactly as before
(models/people/sessions.py). Every such account is printed here and marked in the operator's list of accounts.
"""

import re
import sys
import unicodedata
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

LONGEST = 64
# A frozen copy of models/text.py and models/people/accounts.py: a step must do the same however they change.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)
account = sa.table(
    "account",
    sa.column("id", sa.Integer),
    sa.column("username", sa.String),
    sa.column("former_username", sa.String),
    sa.column("active", sa.Boolean),
    sa.column("must_change", sa.Boolean),
)


def upgrade() -> None:
    op.add_column("account", sa.Column("former_username", sa.String(length=LONGEST), nullable=True))
    connection = op.get_bind()
    people = connection.execute(sa.select(account.c.id, account.c.username, account.c.active, account.c.must_change))
    ranked = sorted(people, key=lambda person: (not person.active, person.must_change, person.id))
    wanted = {person.id: normal(person.username)[:LONGEST] or f"account-{person.id}" for person in ranked}
    names: dict[int, str] = {}
    for person in ranked:
        first = wanted[person.id] not in names.values()
        names[person.id] = wanted[person.id] if first else free(wanted[person.id], {*names.values(), *wanted.values()})
    changing = [person for person in ranked if names[person.id] != person.username]
    for person in changing:  # out of the way first: a new name may be one that another account still has
        rename(person.id, username=uuid4().hex)
    for person in changing:
        displaced = names[person.id] != normal(person.username)
        rename(person.id, username=names[person.id], former_username=person.username if displaced else None)
        if displaced:
            report(person, names[person.id])


def downgrade() -> None:
    op.drop_column("account", "former_username")


def normal(name: str) -> str:
    folded = unicodedata.normalize("NFKC", INVISIBLE.sub("", name)).casefold()
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", folded)).strip()


def free(name: str, taken: set[str]) -> str:
    """`name`, or the first of name-2, name-3, … that is not taken."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f"-{number}"
        candidate = name[: LONGEST - len(suffix)] + suffix
    return candidate


def rename(key: int, **values: str | None) -> None:
    op.get_bind().execute(sa.update(account).where(account.c.id == key).values(**values))


def report(person: sa.Row, name: str) -> None:
    """Printed by `flask upgrade`; invisible characters of the old name as their code points."""
    former = INVISIBLE.sub(lambda sign: f"<U+{ord(sign[0]):04X}>", person.username)
    sys.stdout.write(
        f"用户名“{former}”与另一账号相同（或没有可见字符），已改为“{name}”。本人按原来的写法仍可登录；"
        "请通知本人改用新用户名，或停用不再使用的账号。\n"
    )
