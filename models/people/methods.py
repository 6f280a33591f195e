"""Ways to sign in."""

from flask_babel import lazy_gettext as _l

from models.vocabulary import Word


class Method(Word):
    """The means of authentication at sign-in."""

    PASSWORD = "password", _l("用户名登录")
    PASSWORD_AND_KEY = "password_and_key", _l("用户名登录，并用安全密钥确认")
    PASSWORD_AND_CODE = "password_and_code", _l("用户名登录，并用恢复码确认")
    KEY = "key", _l("安全密钥登录")
    CARD = "card", _l("IC 卡或 IKey 登录")
    PORTAL = "portal", _l("单一窗口登录")
    PORTAL_AND_KEY = "portal_and_key", _l("单一窗口登录，并用安全密钥确认")
    PORTAL_AND_CODE = "portal_and_code", _l("单一窗口登录，并用恢复码确认")
    PORTAL_ASSURED = "portal_assured", _l("单一窗口登录，已在单一窗口加强认证")  # FILING_PORTAL_LEVELS


# Methods that satisfy the rule that an account must use a security key.
WITH_KEY = frozenset({Method.PASSWORD_AND_KEY, Method.KEY, Method.CARD, Method.PORTAL_AND_KEY, Method.PORTAL_ASSURED})
PORTAL_ALONE = frozenset({Method.PORTAL, Method.PORTAL_ASSURED})  # authenticated by the portal only
WITH_PASSWORD = frozenset({Method.PASSWORD, Method.PASSWORD_AND_KEY, Method.PASSWORD_AND_CODE})
WITH_CODE = frozenset({Method.PASSWORD_AND_CODE, Method.PORTAL_AND_CODE})
