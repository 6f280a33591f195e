"""Every way in. All screens in menu order: the table of contents of the UI."""

from pathlib import Path
from typing import Any

import click
from flask import Flask, abort, redirect, request
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.theme import Bootstrap4Theme
from flask_babel import lazy_gettext as _l

from models import workflow
from models.application.trail import passed
from models.codes import authority_of
from models.customs import is_rejected, last_message
from models.database import db, sqlite
from models.files import inspection
from models.workflow import Refused
from views import terminal, translations
from views.entrance import (
    addresses,
    database_failures,
    feed,
    health,
    limits,
    login,
    security,
    static_files,
    unfinished_restore,
    verification,
)
from views.entrance import settings as settings
from views.panel.bell import unread
from views.panel.fixed_parts import fixed
from views.panel.shared_attributes import shared_attributes
from views.resources import store
from views.screens.accounts import AccountScreen, EntrustmentScreen
from views.screens.announcements import AnnouncementScreen
from views.screens.applications import ApplicationsScreen
from views.screens.blank_forms import BlankFormScreen
from views.screens.calendar import CalendarScreen
from views.screens.condition import ConditionScreen
from views.screens.desk import DeskScreen
from views.screens.districts import DistrictScreen
from views.screens.entrusting import EntrustingScreen
from views.screens.exchange import ExchangeScreen, TrafficScreen
from views.screens.handbook import HandbookScreen
from views.screens.kept_queries import KeptQueryScreen
from views.screens.keys import KeysScreen
from views.screens.logs import HandoutScreen, OperationScreen, SignInScreen, TrailScreen
from views.screens.messages import MessageScreen
from views.screens.online import OnlineScreen
from views.screens.organisations import OrganisationScreen
from views.screens.own_visits import OwnVisitsScreen
from views.screens.province import ProvinceScreen
from views.screens.register import RegisterScreen
from views.screens.review import FilingsScreen, ReviewScreen
from views.screens.statistics import StatisticsScreen

PRODUCT = _l("赴境外加工光盘进口备案系统")
SCREENS: tuple[tuple[type, Any, str], ...] = (
    (DeskScreen, _l("工作台"), "desk"),
    (ApplicationsScreen, _l("查询"), "applications"),
    (EntrustingScreen, _l("委托"), "entrusting"),
    (ReviewScreen, _l("待审核"), "review"),
    (FilingsScreen, _l("全部申请"), "filings"),
    (ExchangeScreen, _l("数据交换"), "exchange"),
    (ProvinceScreen, _l("本省设置"), "province"),
    (RegisterScreen, _l("备案证明查询"), "register"),
    (StatisticsScreen, _l("统计"), "statistics"),
    (AccountScreen, _l("账号"), "accounts"),
    (OrganisationScreen, _l("单位"), "organisations"),
    (EntrustmentScreen, _l("委托"), "entrustments"),
    (AnnouncementScreen, _l("通知公告"), "announcements"),
    (BlankFormScreen, _l("空白表格"), "blanks"),
    (DistrictScreen, _l("关区代码"), "districts"),
    (CalendarScreen, _l("工作日历"), "calendar"),
    (TrafficScreen, _l("数据交换"), "traffic"),
    (ConditionScreen, _l("运行状态"), "condition"),
    (OnlineScreen, _l("在线用户"), "online"),
    (TrailScreen, _l("办理日志"), "acts"),
    (SignInScreen, _l("登录日志"), "signins"),
    (OperationScreen, _l("操作日志"), "operations"),
    (HandoutScreen, _l("打印与导出日志"), "prints"),
    (HandbookScreen, _l("运行手册"), "handbook"),
    (MessageScreen, _l("消息"), "messages"),
    (KeptQueryScreen, _l("常用查询"), "queries"),
    (OwnVisitsScreen, _l("我的登录"), "visits"),
    (KeysScreen, _l("我的登录方式"), "keys"),
)


class Home(AdminIndexView):
    """`/` leads everybody to the first screen of their own."""

    @expose("/")
    def index(self) -> Any:
        homes = (view for view in self.admin._views if view is not self and view.is_accessible())
        home = next(homes, None) or abort(403)
        return redirect(home.url)


def menu(admin: Admin) -> list[tuple[Any, str, bool, str]]:
    """The left menu of whoever is signed in: (label, address, whether it is open now, how many wait there or "")."""
    views = [view for view in admin._views[1:] if view.is_accessible()]
    items = [(*entry, view) for view in views for entry in view.menu_entries()]
    addresses = [address for _label, address, _view in items]
    open_now = max((address for address in addresses if request.path.startswith(address)), key=len, default="")
    return [(label, at, at == open_now, _count_of(view)) for label, at, view in items]


def _count_of(view: Any) -> str:
    """What a screen shows beside its name in the menu, if anything."""
    return str(view.menu_count()) if hasattr(view, "menu_count") else ""


def init_app(app: Flask) -> None:
    """Hang every screen, page and command on the application."""
    translations.init_app(app)
    with app.app_context():
        addresses.init_app(app)
    for entrance in (static_files, security, login, limits, unfinished_restore, database_failures):
        entrance.init_app(app)
    inspection.share(Path(app.instance_path) / "inspections", app.config["INSPECTIONS"])
    init_panel(app)
    app.register_blueprint(verification.verify)
    health.init_app(app)
    feed.init_app(app)
    # Asked for beside a PDF or a picture in a window of its own, where no page names an icon.
    app.add_url_rule("/favicon.ico", "icon", lambda: app.send_static_file("emblem.svg"))
    terminal.init_app(app)
    with app.app_context():
        check_database(app.config["SQLALCHEMY_DATABASE_URI"])
        open_store()


def init_panel(app: Flask) -> None:
    """The screens in the order of the menu, and what their templates ask for."""
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
    app.jinja_env.globals.update(
        product=PRODUCT,
        menu=lambda: menu(admin),
        progress=lambda row: workflow.progress(row.status, passed(db.session(), row.id)),
        stopped=workflow.stopped,
        advice=lambda row: workflow.advice(row.status, is_rejected(last_message(db.session(), row))),
        authority_of=authority_of,
        calendar_address="/calendar/",
        shared_attributes=shared_attributes,
        fixed=fixed,
        unread=unread,
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
