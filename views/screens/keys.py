"""我的登录方式: enrol, name and remove one's own security keys; the page of required enrolment after sign-in."""

from datetime import timedelta
from typing import Any

from flask import current_app, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from models import clock, log
from models.database import db
from models.log import SignIn
from models.notifications.sign_in_changes import notify_owner
from models.people import online, portal_visits, security_keys
from models.people.card_certificates import cards_of
from models.people.methods import WITH_KEY, Method
from models.workflow import Refused
from views.entrance import key_challenge
from views.entrance.card_login import authorities
from views.entrance.place import place
from views.entrance.relying_party import must_enrol, must_have_key, party, relying_party
from views.panel.display import on_screen
from views.panel.fields import number_of
from views.panel.own_page import OwnPage
from views.panel.saving import commit_then_flash

RECENT = timedelta(minutes=10)  # since authentication; after that, somebody else may be at the computer


class KeysScreen(OwnPage):
    """For every account; linked from 我的登录, not in the menu."""

    @expose("/")
    def index(self) -> Any:
        page: dict[str, Any] = {
            "keys": security_keys.keys_of(db.session(), current_user.id),
            "party": relying_party(current_app.config),
            "fresh": is_recent_sign_in(),
            "most": security_keys.LONGEST_NAME,
            "suggested": place().program[: security_keys.LONGEST_NAME],
            "bound": must_enrol(current_user),
        }
        template = "entrance/enrol.html" if page["bound"] else "screens/keys.html"
        return self.render(template, **page, readable=on_screen)

    @expose("/options/", methods=("POST",))
    def options(self) -> Any:
        """WebAuthn options for enrolling a key."""
        from models.people import key_answers

        assert_recent_sign_in()
        options, challenge = key_answers.enrolment_options(db.session(), current_user, party())
        key_challenge.store(purpose(), challenge, options["user"]["id"])
        return jsonify(options)

    @expose("/add/", methods=("POST",))
    def add(self) -> Any:
        """Enrol the key of the submitted credential and end one's other sessions; commits."""
        from models.people import key_answers

        def act() -> str:
            session = db.session()
            assert_recent_sign_in()
            asked = key_challenge.use_up_and_commit(purpose())
            answer, name = (request.form.get(field, "") for field in ("credential", "name"))
            key = key_answers.enrol(session, current_user, answer, asked, party(), name)
            log.record(session, SignIn.KEY_ENROLLED, current_user, place(), words=key.name)
            notify_owner(session, current_user.id, _l("您的账号登记了安全密钥“%(name)s”", name=key.name))
            online.end_others(session, current_user, place())
            if current_user.visit.method not in WITH_KEY:  # the key was used just now
                current_user.visit.method = confirmed_by_key(current_user.visit.method)
            return _("已登记“%(name)s”。今后用户名登录须用密钥确认，也可以直接用卡介质登录。", name=key.name)

        commit_then_flash(act)
        return redirect(self.get_url(".index"), 303)

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """Remove one's own key and end one's other sessions, which its finder may have begun; commits."""

        def act() -> str:
            session = db.session()
            assert_recent_sign_in()
            assert_not_last()
            name = security_keys.remove(session, current_user.id, number_of(request.form.get("id")) or 0)
            log.record(session, SignIn.KEY_REMOVED, current_user, place(), words=name)
            notify_owner(session, current_user.id, _l("您的账号移除了安全密钥“%(name)s”", name=name))
            online.end_others(session, current_user, place())
            return _("已移除“%(name)s”，它不能再用来登录，其他设备上的登录已退出。", name=name)

        commit_then_flash(act)
        return redirect(self.get_url(".index"), 303)


def confirmed_by_key(method: Method | None) -> Method:
    """The method of a visit after a key was used in it."""
    return Method.PORTAL_AND_KEY if method in (Method.PORTAL, Method.PORTAL_AND_CODE) else Method.PASSWORD_AND_KEY


def purpose() -> str:
    """The purpose of the challenge for a new key, bound to this session."""
    return f"enrol {current_user.visit.id}"


def is_recent_sign_in() -> bool:
    """Whether the account was authenticated within RECENT."""
    proved_at = portal_visits.proved_at(current_user.visit)
    return proved_at is not None and clock.now() - proved_at <= RECENT


def assert_recent_sign_in() -> None:
    """Raises Refused unless the account was authenticated within RECENT."""
    if not is_recent_sign_in():
        raise Refused(_("登记和移除密钥须在登录后 10 分钟内办理，请退出后重新登录。"))


def assert_not_last() -> None:
    """Raises Refused if keys are required and this is the last one: the password alone could then enrol another.

    A card counts only while it can be used.
    """
    session, now = db.session(), clock.now()
    has_card = authorities() is not None and any(card.ends_at > now for card in cards_of(session, current_user.id))
    has_more = has_card or len(security_keys.keys_of(session, current_user.id)) > 1
    if must_have_key(current_user) and not has_more:
        raise Refused(_("该账号须有安全密钥，这是最后一把，没有移除；请先登记新的，再移除这一把。"))
