"""A page of everybody's own account, which stands in no menu."""

from typing import Any

from flask import abort
from flask_admin import BaseView
from flask_login import current_user


class OwnPage(BaseView):
    """Open to whoever is signed in; other pages lead here."""

    def is_accessible(self) -> bool:
        return bool(current_user.is_authenticated)

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        if not self.is_accessible():
            abort(403)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """No line in the menu."""
        return []
