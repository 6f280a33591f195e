"""A unique violation is recognised in any language of the database."""

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from models.database import is_unique_violation, sqlite


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.errors.UniqueViolation("重复键违反唯一约束"), True),
        (psycopg.errors.ForeignKeyViolation("unique is a name here"), False),
        (sqlite.library.IntegrityError("UNIQUE constraint failed: account.username"), True),
        (sqlite.library.IntegrityError("FOREIGN KEY constraint failed"), False),
    ],
)
def test_only_the_database_says_that_a_row_exists(error: Exception, expected: bool) -> None:
    assert is_unique_violation(IntegrityError("INSERT", {}, error)) is expected
