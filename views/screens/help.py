"""操作说明 (手册 第五篇): each role's work step by step, for every account; 帮助 on every page."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app
from flask_admin import expose
from flask_babel import gettext as _
from markupsafe import Markup

from models import workflow
from models.language import is_english
from models.vocabulary import Action, Role, Status, Word
from views.panel.own_page import OwnPage

TALLEST = 760  # CSS pixels of a picture
WORDS: tuple[Word, ...] = (*Action, *workflow.MESSAGE_ACTS)  # acts on applications and messages


class HelpScreen(OwnPage):
    """A page of text and pictures. Names of acts and menu lines are read from their definitions."""

    @expose("/")
    def index(self) -> Any:
        named = acts() | dict(self.menu_lines())
        folder = Path(str(current_app.static_folder)) / "help"
        shown = pictures(folder, is_english())
        return self.render("screens/help.html", named=named, statuses=list(statuses()), pictures=shown)

    def menu_lines(self) -> Iterator[tuple[str, Markup]]:
        """("menu_applications_new", name of that page) for every page; a link if the account may open it, else bold."""
        for view in self.admin._views[1:]:
            for name, address in view.menu_entries() or [(view.name, f"{view.url}/")]:
                key = "menu_" + address.strip("/").replace("/", "_")
                link = Markup('<a href="{}">{}</a>') if view.is_accessible() else Markup("<b>{1}</b>")
                yield key, link.format(address, name)


@cache
def pictures(folder: Path, english: bool) -> dict[str, tuple[str, int, int]]:
    """Name → (file without its ending, width and height in CSS pixels); papers are Chinese in every language.

    Width and height are the largest that the page shows: browsers reserve this space before the picture is loaded.
    """
    from PIL import Image

    found = {}
    for file in sorted(folder.glob("*-dense.webp")):
        name = file.stem.removesuffix("-dense")
        own = f"en/{name}" if english and (folder / "en" / file.name).exists() else name
        with Image.open(folder / f"{own}.webp") as image:
            shrunk = min(1, TALLEST / image.height)
            found[name] = own, round(image.width * shrunk), round(image.height * shrunk)
    return found


def acts() -> dict[str, Markup]:
    """Value of each act → label of its button, in bold."""
    return {word.value: Markup('<b data-act="{}">{}</b>').format(word.value, word.label) for word in WORDS}


def statuses() -> Iterator[tuple[Status, str, str]]:
    """(数据状态, acts of the applicant, acts of the province) from the workflow rules."""
    for status in Status:
        yield status, _possible(status, Role.PUBLISHER), _possible(status, Role.REVIEWER)


def _possible(status: Status, role: Role) -> str:
    """Labels of the acts that a role may perform in a status, or a dash."""
    names = [str(act.label) for act in Action if workflow.allowed(act, status, role)]
    return _("、").join(names) or "—"
