"""The web application: screens in menu order, public pages, the interface for programs, and commands."""

from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import Flask, abort, redirect, request
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.theme import Bootstrap4Theme
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from flask_login import current_user

from models import workflow
from models.application import Application
from models.codes import authority_for_reader
from models.customs import is_rejected, last_message
from models.database import db, sqlite
from models.files import inspection
from models.workflow import Refused
from views import api, terminal, translations
from views.entrance import (
    addresses,
    database_failures,
    feed,
    health,
    language,
    limits,
    login,
    metrics,
    process_log,
    security,
    static_files,
    status_lists,
    unfinished_restore,
    verification,
    witnessing,
)
from views.entrance import settings as settings
from views.entrance.signed_in_person import Person
from views.panel import commands
from views.panel.bell import unread
from views.panel.fixed_parts import fixed
from views.panel.periods import PERIODS
from views.panel.shared_attributes import shared_attributes
from views.resources import store
from views.screens.accounts import AccountScreen, EntrustmentScreen
from views.screens.announcements import AnnouncementScreen
from views.screens.api_keys import ApiKeyScreen
from views.screens.applications import ApplicationsScreen
from views.screens.blank_forms import BlankFormScreen
from views.screens.calendar import CalendarScreen
from views.screens.condition import ConditionScreen
from views.screens.desk import DeskScreen
from views.screens.districts import DistrictScreen
from views.screens.entrusting import EntrustingScreen
from views.screens.exchange import ExchangeScreen, TrafficScreen
from views.screens.handbook import HandbookScreen
from views.screens.help import HelpScreen
from views.screens.keys import KeysScreen
from views.screens.logs import HandoutScreen, OperationScreen, SignInScreen, TrailScreen
from views.screens.messages import MessageScreen
from views.screens.online import OnlineScreen
from views.screens.organisations import OrganisationScreen
from views.screens.own_visits import OwnVisitsScreen
from views.screens.portal import PortalScreen
from views.screens.province import ProvinceScreen
from views.screens.register import RegisterScreen
from views.screens.review import FilingsScreen, ReviewScreen
from views.screens.saved_queries import SavedQueryScreen
from views.screens.statistics import StatisticsScreen

PRODUCT = _l("赴境外加工光盘进口备案系统")
SCREENS: tuple[tuple[type, Any, str], ...] = (
    (DeskScreen, _l("工作台"), "desk"),
    (ApplicationsScreen, _lp("menu", "查询"), "applications"),
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
    (PortalScreen, _l("单一窗口用户"), "portal"),
    (AnnouncementScreen, _l("通知公告"), "announcements"),
    (BlankFormScreen, _l("空白表格"), "blanks"),
    (DistrictScreen, _lp("menu", "关区代码"), "districts"),
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
    (SavedQueryScreen, _l("常用查询"), "queries"),
    (OwnVisitsScreen, _l("我的登录"), "visits"),
    (KeysScreen, _l("我的登录方式"), "keys"),
    (ApiKeyScreen, _l("接口密钥"), "apikeys"),
    (HelpScreen, _l("操作说明"), "help"),
)


class Home(AdminIndexView):
    """`/` redirects to the first screen that the account may open."""

    @expose("/")
    def index(self) -> Any:
        homes = (view for view in self.admin._views if view is not self and view.is_accessible())
        home = next(homes, None) or abort(403)
        return redirect(home.url)


def menu(admin: Admin, person: Person | None = None) -> list[tuple[Any, str, bool, str]]:
    """The left menu of the signed-in account: (label, address, whether it is the current page, count or "").

    `person`: the reader of an error page, for which the database is not queried; None on every other page.
    """
    role = (person or current_user).role
    views = [view for view in admin._views[1:] if role in view.roles and (person or view.is_accessible())]
    items = [(*entry, view) for view in views for entry in view.menu_entries()]
    addresses = [address for _label, address, _view in items]
    open_now = max((address for address in addresses if request.path.startswith(address)), key=len, default="")
    return [(label, at, at == open_now, "" if person else _count_of(view)) for label, at, view in items]


def _count_of(view: Any) -> str:
    """The count beside the name of a screen in the menu; "" for a screen without one."""
    return str(view.menu_count()) if hasattr(view, "menu_count") else ""


def init_app(app: Flask) -> None:
    """Register every screen, page and command.

    Raises click.ClickException when the version of SQLite or the address of the store cannot be used.
    """
    translations.init_app(app)
    with app.app_context():
        addresses.init_app(app)
    entrances = (static_files, security, login, language, limits, unfinished_restore, database_failures)
    for entrance in (*entrances, metrics, process_log):
        entrance.init_app(app)
    inspection.limit_inspections(Path(app.instance_path) / "inspections", app.config["INSPECTIONS"])
    init_panel(app)
    app.register_blueprint(verification.verify)
    health.init_app(app)
    feed.init_app(app)
    status_lists.init_app(app)
    witnessing.init_app(app)
    api.init_app(app)
    # Browsers request it for a PDF or picture in its own window, where no page names an icon.
    app.add_url_rule("/favicon.ico", "icon", lambda: app.send_static_file("emblem.svg"))
    terminal.init_app(app)
    with app.app_context():
        check_database(app.config["SQLALCHEMY_DATABASE_URI"])
        open_store()


def init_panel(app: Flask) -> None:
    """Register the screens in menu order, and the functions that their templates call."""
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
        menu=partial(menu, admin),
        commands=commands,
        stopped=workflow.stopped,
        advice=advice,
        laws={action: act.law for action, act in workflow.ACTS.items() if act.law},
        authority_of=authority_for_reader,
        calendar_address="/calendar/",
        periods=tuple(label for label, _period in PERIODS.values()),
        new_page_key=security.random_name,
        shared_attributes=shared_attributes,
        fixed=fixed,
        unread=unread,
    )


def advice(row: Application) -> str | None:
    """The hint what to do next with an application, for the signed-in account; None: there is none."""
    rejected = is_rejected(last_message(db.session(), row))
    return workflow.advice(row.status, current_user.role, rejected)


def check_database(address: str) -> None:
    """Raises click.ClickException for a version of SQLite that can lose commits."""
    if sentence := sqlite.refusal(address):
        raise click.ClickException(sentence)


def open_store() -> None:
    """Raises click.ClickException when FILING_STORE is malformed; does not connect."""
    try:
        store()
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
