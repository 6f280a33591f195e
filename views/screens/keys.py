"""我的登录方式: one's own security keys, enrolled, named and removed; where they are required, what comes first."""

from datetime import timedelta
from typing import Any

from flask import current_app, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models import clock, log
from models.database import db
from models.log import SignIn
from models.notifications.sign_in_changes import tell_owner
from models.people import online, security_keys
from models.people.card_certificates import cards_of
from models.people.methods import WITH_KEY, Method
from models.workflow import Refused
from views.entrance import key_challenge
from views.entrance.card_login import authorities
from views.entrance.place import place
from views.entrance.relying_party import is_bound, must_enrol, party, relying_party
from views.panel.display import on_screen
from views.panel.fields import number_of
from views.panel.own_page import OwnPage
from views.panel.saving import races_as_refusals

FRESH = timedelta(minutes=10)  # after sign-in; later, somebody else may sit at the desk


class KeysScreen(OwnPage):
    """Everybody's; it is reached from 我的登录, not from the menu."""

    @expose("/")
    def index(self) -> Any:
        page: dict[str, Any] = {
            "keys": security_keys.keys_of(db.session(), current_user.id),
            "party": relying_party(current_app.config),
            "fresh": is_fresh(),
            "card_first": card_first(),
            "most": security_keys.LONGEST_NAME,
            "suggested": place().program[: security_keys.LONGEST_NAME],
            "bound": must_enrol(current_user),
        }
        template = "entrance/enrol.html" if page["bound"] else "screens/keys.html"
        return self.render(template, **page, readable=on_screen)

    @expose("/options/", methods=("POST",))
    def options(self) -> Any:
        """What the browser is to ask a new key."""
        assert_may_enrol()
        options, challenge = security_keys.enrolment_options(db.session(), current_user, party())
        key_challenge.keep(purpose(), challenge, options["user"]["id"])
        return jsonify(options)

    @expose("/add/", methods=("POST",))
    def add(self) -> Any:
        """Enrol the key that has answered; one's other sessions end."""
        session = db.session()
        try:
            assert_may_enrol()
            asked = key_challenge.use_up(purpose())
            answer, name = (request.form.get(field, "") for field in ("credential", "name"))
            with races_as_refusals():
                key = security_keys.enrol(session, current_user, answer, asked, party(), name)
                log.record(session, SignIn.KEY_ENROLLED, current_user, place(), words=key.name)
                tell_owner(session, current_user.id, _("您的账号登记了安全密钥“%(name)s”", name=key.name))
                online.end_others(session, current_user, place())
                if current_user.visit.method not in WITH_KEY:  # the key has just been shown
                    current_user.visit.method = Method.PASSWORD_AND_KEY
                session.commit()
        except Refused as refused:
            session.rollback()
            flash(str(refused), "error")
            return redirect(self.get_url(".index"), 303)
        flash(_("已登记“%(name)s”。今后用户名登录须用密钥确认，也可以直接用卡介质登录。", name=key.name), "success")
        return redirect(self.get_url(".index"), 303)

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """Remove one's own key; one's other sessions end, for they may be of whoever has found it."""
        session = db.session()
        try:
            assert_fresh()
            assert_not_last()
            name = security_keys.remove(session, current_user.id, number_of(request.form.get("id")) or 0)
            log.record(session, SignIn.KEY_REMOVED, current_user, place(), words=name)
            tell_owner(session, current_user.id, _("您的账号移除了安全密钥“%(name)s”", name=name))
            online.end_others(session, current_user, place())
            session.commit()
            flash(_("已移除“%(name)s”，它不能再用来登录，其他设备上的登录已退出。", name=name), "success")
        except Refused as refused:
            session.rollback()
            flash(str(refused), "error")
        return redirect(self.get_url(".index"), 303)


def purpose() -> str:
    """What a challenge for a new key is bound to: this session."""
    return f"enrol {current_user.visit.id}"


def is_fresh() -> bool:
    return bool(clock.now() - current_user.visit.began_at <= FRESH)


def assert_fresh() -> None:
    """Raises Refused when the sign-in is too long ago."""
    if not is_fresh():
        raise Refused(_("登记和移除密钥须在登录后 10 分钟内办理，请退出后重新登录。"))


def card_first() -> str:
    """Why this account has to come in by card before it enrols a key; "" where it has not.

    Otherwise the password alone would open an account that must have more and has it: its owner's card.
    """
    code = current_user.visit.method is Method.PASSWORD_AND_CODE  # an operator has made sure who it is
    if code or not must_enrol(current_user) or authorities() is None or not cards_of(db.session(), current_user.id):
        return ""
    return _("该账号已登记 IC 卡或 IKey，请退出后用卡登录，再登记安全密钥；卡不能用的，请联系系统管理员移除。")


def assert_may_enrol() -> None:
    """Raises Refused when the sign-in is too long ago, or has to be by card."""
    assert_fresh()
    if sentence := card_first():
        raise Refused(sentence)


def assert_not_last() -> None:
    """Raises Refused where keys are required and this is the only one: the next password would enrol any other."""
    session = db.session()
    has_more = len(security_keys.keys_of(session, current_user.id)) > 1 or cards_of(session, current_user.id)
    if is_bound(current_user) and not has_more:
        raise Refused(_("该账号须有安全密钥，这是最后一把，没有移除；请先登记新的，再移除这一把。"))
