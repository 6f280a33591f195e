"""Where a request comes from: client address and browser, for the log and for counting wrong passwords."""

import re

from flask import request

from models.log import Place

BROWSER = "filing_browser"  # the cookie that a browser is given at its first sign-in
# Name → pattern in User-Agent. The first match counts, for most browsers also name others in it.
PROGRAMS = {
    "微信": r"MicroMessenger/(\d+)",
    "Edge": r"Edg(?:A|iOS)?/(\d+)",
    "360 浏览器": r"(?:QIHU 360|360SE|360EE)",
    "QQ 浏览器": r"QQBrowser/(\d+)",
    "Opera": r"OPR/(\d+)",
    "Firefox": r"(?:Firefox|FxiOS)/(\d+)",
    "Chrome": r"(?:Chrome|CriOS)/(\d+)",
    "Safari": r"Version/(\d{1,4})[\d.]{0,20} (?:Mobile/\w{1,20} )?Safari",
}
LONGEST = 400  # characters of User-Agent that are read
SYSTEMS = {
    "Windows": "Windows NT", "Android": "Android", "iOS": "iPhone|iPad", "macOS": "Mac OS X", "Linux": "Linux",
}  # fmt: skip


def place() -> Place:
    """Where this request comes from; the browser by a cookie that it is given at its first sign-in."""
    browser = request.cookies.get(BROWSER, "")
    known = browser if re.fullmatch(r"[\w-]{22}", browser) else ""
    return Place(request.remote_addr or "", known, program(request.user_agent.string))


def program(agent: str) -> str:
    """Short form of a User-Agent: «Chrome 130 · Windows»; "" for an unknown one. Nothing else of it is stored."""
    agent = agent[:LONGEST]
    found = ((name, re.search(pattern, agent)) for name, pattern in PROGRAMS.items())
    name, match = next(((name, match) for name, match in found if match), ("", None))
    system = next((system for system, pattern in SYSTEMS.items() if re.search(pattern, agent)), "")
    version = match[1][:4] if match and match.re.groups else ""
    return " · ".join(filter(None, (f"{name} {version}".strip(), system)))
