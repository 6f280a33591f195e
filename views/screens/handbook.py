"""运行手册: how to run the service, for the operator; a page of text."""

from typing import Any

from flask_admin import expose

from models.vocabulary import Role
from views.panel.page import Page


class HandbookScreen(Page):
    """A page of text for the operator."""

    roles = frozenset({Role.OPERATOR})

    @expose("/")
    def index(self) -> Any:
        return self.render("screens/handbook.html")
