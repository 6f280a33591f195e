"""修改密码: voluntary, or required at the first login."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from models import log
from models.database import db
from models.language import listed
from models.log import SignIn
from models.people.accounts import Account
from models.people.passwords import SHORTEST
from models.people.revocation import end_access, secrets_of
from models.people.sessions import try_password_and_commit
from views.entrance.fields import WrongFields, about
from views.entrance.place import place


def password() -> ResponseReturnValue:
    """GET: the page. POST: change the password."""
    if request.method != "POST":
        return _page({})
    ended = secrets_of(db.session(), current_user.id)
    try:
        _change(current_user, *(request.form.get(name, "") for name in ("current", "new", "repeat")))
    except WrongFields as refused:
        db.session.rollback()
        return _page(refused.fields), 422
    flash(_("密码已修改，其他设备上的登录已退出。"), "success")
    if ended:  # a flash of its own, because the one about success fades
        flash(_("原来的%(what)s已失效，仍需使用的请重新生成。", what=listed(ended)), "message")
    return redirect("/", 303)


def _page(wrong: Mapping[str, str]) -> str:
    ends = listed(secrets_of(db.session(), current_user.id))
    return render_template("entrance/password.html", wrong=wrong, shortest=SHORTEST, ends=ends)


def _change(account: Account, old: str, new: str, repeat: str) -> None:
    """Set the new password, end every other visit, and commit. Raises WrongFields; the caller rolls back."""
    assert account.visit is not None
    asked = {"current": _("请填写当前密码。"), "new": _("请填写新密码。"), "repeat": _("请再输入一次新密码。")}
    given = {"current": old, "new": new, "repeat": repeat}
    if missing := {name: sentence for name, sentence in asked.items() if not given[name]}:
        raise WrongFields(missing)
    with about("current"):
        try_password_and_commit(db.session(), account, old, place())
    if new != repeat:
        raise WrongFields({"repeat": _("两次输入的新密码不一致，请重新输入。")})
    if new == old:
        raise WrongFields({"new": _("新密码不能与当前密码相同，请换一个。")})
    with about("new"):
        account.set_password(new)
    end_access(db.session(), account.id, except_for=account.visit.id)
    log.record(db.session(), SignIn.PASSWORD_CHANGED, account, place())
    db.session.commit()
