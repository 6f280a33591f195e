"""Base class of every page of the panel: the check of roles, and its line in the menu."""

from typing import Any

from flask import abort
from flask_admin import BaseView
from flask_login import current_user

from models.vocabulary import Role


class Page(BaseView):
    """403 for every role that is not in `roles`."""

    roles: frozenset[Role] = frozenset()

    def is_accessible(self) -> bool:
        return getattr(current_user, "role", None) in self.roles  # anonymous users have no role

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        if not self.is_accessible():
            abort(403)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """(label, address) of its line in the menu."""
        return [(self.name, f"{self.url}/")]
