"""What Flask-Migrate reads of an application; imports Alembic at first use, as web workers do not migrate."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_sqlalchemy import SQLAlchemy


@dataclass
class Migrations:
    """`app.extensions["migrate"]`; `directory`: of the migrations."""

    db: SQLAlchemy
    directory: str

    @cached_property
    def migrate(self) -> Any:
        """Flask-Migrate's own extension."""
        from flask_migrate import Migrate

        return Migrate(db=self.db, directory=self.directory)
