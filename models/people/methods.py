"""How somebody has signed in."""

from flask_babel import lazy_gettext as _l

from models.vocabulary import Word


class Method(Word):
    """What was shown at sign-in."""

    PASSWORD = "password", _l("用户名登录")
    PASSWORD_AND_KEY = "password_and_key", _l("用户名登录，并用安全密钥确认")
    PASSWORD_AND_CODE = "password_and_code", _l("用户名登录，并用恢复码确认")
    KEY = "key", _l("安全密钥登录")
    CARD = "card", _l("IC 卡或 IKey 登录")


WITH_KEY = frozenset({Method.PASSWORD_AND_KEY, Method.KEY, Method.CARD})  # what accounts need that must have a key
