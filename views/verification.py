"""The public page that says whether a certificate holds, for whoever has one in hand."""

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import clock
from models.check_code import plain
from views import verdict
from views.office import keys
from views.security import limiter
from views.verdict import Verdict

LONGEST = 100  # signs of a number that are looked at

PROVABLE = {"valid", "void", "expired"}

verify = Blueprint("verify", __name__, url_prefix="/verify")


def asked() -> str:
    """The number that is asked about, by which guesses at its check code are counted, whoever makes them."""
    return f"number {_number()}"


def missed(_response: Response) -> bool:
    """Whether this request guessed at a check code, and wrong."""
    return bool(g.get("missed"))


@verify.get("/")
@verify.get("/<path:number>")
@limiter.limit("120 per minute")  # an address; a customs house has one for all its counters
@limiter.limit("10 per minute", key_func=asked, deduct_when=missed)  # a number: 60 bits are never guessed so (AC7)
def show(number: str = "") -> ResponseReturnValue:
    """By the number in the address, with the QR code's `c` or the check code typed as `code`."""
    if typed := plain(request.args.get("number", "")):
        code = plain(request.args.get("code", ""))
        return redirect(url_for(".show", number=typed, code=code or None))
    return _page(_judged()) if number else _page(None)


@verify.post("/")
@limiter.limit("20 per minute")  # an address
def upload() -> ResponseReturnValue:
    """By the file itself."""
    file = request.files.get("file")
    if not file:
        return redirect(url_for(".show"), 303)
    return _page(verdict.of_file(file.read(), keys()))


def _number() -> str:
    return str((request.view_args or {}).get("number", ""))[:LONGEST]


def _page(said: Verdict | None) -> str:
    """The number stands in the form only where there is such a certificate, whose check code is still to be typed."""
    number = _number() if said and said.word in PROVABLE else ""
    return render_template("verify.html", verdict=said, number=number, now=clock.now())


def _judged() -> Verdict:
    if code := request.args.get("c"):
        return verdict.of_code(_number(), code, keys())
    if typed := request.args.get("code"):
        found = verdict.of_typed(_number(), typed)
        g.missed = found.word == "unknown"
        return found
    return verdict.of_number(_number())
