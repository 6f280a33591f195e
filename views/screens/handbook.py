"""运行手册: how the service is run, for the operator; text without rows."""

from typing import Any

from flask import abort
from flask_admin import BaseView, expose
from flask_login import current_user

from models.vocabulary import Role


class HandbookScreen(BaseView):
    """One page of text, open to the operator alone."""

    @expose("/")
    def index(self) -> Any:
        return self.render("screens/handbook.html")

    def is_accessible(self) -> bool:
        return current_user.is_authenticated and current_user.role is Role.OPERATOR

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        abort(403)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """(label, address) of its line in the menu."""
        return [(self.name, f"{self.url}/")]
