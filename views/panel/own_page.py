"""A page of one's own account, without a line in the menu."""

from typing import Any

from models.vocabulary import Role
from views.panel.page import Page


class OwnPage(Page):
    """Open to every signed-in account; other pages link here."""

    roles = frozenset(Role)

    def menu_entries(self) -> list[tuple[Any, str]]:
        """No line in the menu."""
        return []
