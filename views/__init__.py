"""Every way in. All screens in menu order: the table of contents of the UI."""

from typing import Any

import click
from flask import Flask, abort, redirect, request
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.theme import Bootstrap4Theme
from flask_babel import Babel
from flask_babel import lazy_gettext as _l

from models import workflow
from models.codes import authority_of
from models.customs import last, rejected
from models.database import db, sqlite
from models.workflow import Refused
from views import terminal
from views.entrance import addresses, health, limits, login, security, unfinished_restore, verification
from views.panel.shared_attributes import shared_attributes
from views.resources import store
from views.screens.accounts import AccountScreen, EntrustmentScreen
from views.screens.applications import ApplicationsScreen
from views.screens.districts import DistrictScreen
from views.screens.exchange import ExchangeScreen, TrafficScreen
from views.screens.organisations import OrganisationScreen
from views.screens.register import RegisterScreen
from views.screens.review import FilingsScreen, ReviewScreen

PRODUCT = _l("赴境外加工光盘进口备案系统")
SCREENS: tuple[tuple[type, Any, str], ...] = (
    (ApplicationsScreen, _l("查询"), "applications"),
    (ReviewScreen, _l("待审核"), "review"),
    (FilingsScreen, _l("全部申请"), "filings"),
    (ExchangeScreen, _l("数据交换"), "exchange"),
    (RegisterScreen, _l("备案证明查询"), "register"),
    (AccountScreen, _l("账号"), "accounts"),
    (OrganisationScreen, _l("单位"), "organisations"),
    (EntrustmentScreen, _l("委托"), "entrustments"),
    (DistrictScreen, _l("关区代码"), "districts"),
    (TrafficScreen, _l("数据交换"), "traffic"),
)


class Home(AdminIndexView):
    """`/` leads everybody to the first screen of their own."""

    @expose("/")
    def index(self) -> Any:
        homes = (view for view in self.admin._views if view is not self and view.is_accessible())
        home = next(homes, None) or abort(403)
        return redirect(home.url)


def menu(admin: Admin) -> list[tuple[Any, str, bool]]:
    """The left menu of whoever is signed in: (label, address, whether it is open now)."""
    items = [entry for view in admin._views[1:] if view.is_accessible() for entry in view.menu_entries()]
    open_now = max((address for _label, address in items if request.path.startswith(address)), key=len, default="")
    return [(label, address, address == open_now) for label, address in items]


def init_app(app: Flask) -> None:
    """Hang every screen, page and command on the application."""
    Babel(app, locale_selector=lambda: app.config["BABEL_DEFAULT_LOCALE"])
    with app.app_context():
        addresses.init_app(app)
    security.init_app(app)
    login.init_app(app)
    limits.init_app(app)
    unfinished_restore.init_app(app)
    admin = Admin(
        app,
        name=PRODUCT,
        url="/",
        index_view=Home(url="/"),
        theme=Bootstrap4Theme(swatch="default", base_template="panel/base.html", fluid=True),
        csp_nonce_generator=security.nonce,
    )
    for screen, name, address in SCREENS:
        admin.add_view(screen(name=name, endpoint=address, url=f"/{address}"))
    app.register_blueprint(verification.verify)
    health.init_app(app)
    # Asked for beside a PDF or a picture in a window of its own, where no page names an icon.
    app.add_url_rule("/favicon.ico", "icon", lambda: app.send_static_file("emblem.svg"))
    terminal.init_app(app)
    with app.app_context():
        check_database(app.config["SQLALCHEMY_DATABASE_URI"])
        open_store()
    app.jinja_env.globals.update(
        product=PRODUCT,
        menu=lambda: menu(admin),
        progress=workflow.progress,
        advice=lambda row: workflow.advice(row.status, rejected(last(db.session(), row))),
        authority_of=authority_of,
        shared_attributes=shared_attributes,
    )


def check_database(address: str) -> None:
    """A version of SQLite that can lose commits stops the start with one sentence."""
    if sentence := sqlite.refusal(address):
        raise click.ClickException(sentence)


def open_store() -> None:
    """An address that cannot be a store stops the start with one sentence; nobody is asked yet whether it answers."""
    try:
        store()
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
