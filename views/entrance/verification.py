"""The public page that says whether a certificate holds, for whoever has one in hand."""

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException

from models import clock, verdict
from models.numbering import meant
from models.signing.check_code import plain
from models.verdict import Verdict
from views.entrance.security import limiter, say
from views.resources import keys

LONGEST = 100  # signs of a number that are looked at

PROVABLE = {"valid", "void", "expired"}

verify = Blueprint("verify", __name__, url_prefix="/verify")


limiter.limit("20 per minute", methods=["POST"])(verify)  # an address; before the file is read, hence not on `upload`


def guessing() -> str:
    """By whom guesses at which number's check code are counted: nobody can use them up for others."""
    return f"{get_remote_address()} {_number()}"


def missed(_response: Response) -> bool:
    """Whether this request guessed at a check code, and wrong."""
    return bool(g.get("missed"))


def guesses_nothing() -> bool:
    """Whether this request types no check code."""
    return "code" not in request.args


@verify.errorhandler(413)
def too_large(error: HTTPException) -> ResponseReturnValue:
    """No paper of ours is so large."""
    words = _("文件超过 %(most)s MB，不是签发的备案证明，请核对后重新选择。", most=current_app.config["ATTACHMENT_MB"])
    return say(current_app.make_response(error.get_response()), words)


@verify.get("/")
@verify.get("/<path:number>")
@limiter.limit("120 per minute")  # an address; a customs house has one for all its counters
@limiter.limit("10 per minute", key_func=guessing, exempt_when=guesses_nothing, deduct_when=missed)  # of 60 bits (AC7)
def show(number: str = "") -> ResponseReturnValue:
    """By the number in the address, with the QR code's `c` or the check code typed as `code`."""
    if typed := meant(request.args.get("number", "")):
        code = plain(request.args.get("code", ""))
        return redirect(url_for(".show", number=typed, code=code or None))
    return _page(_judged()) if number else _page(None)


@verify.post("/")
def upload() -> ResponseReturnValue:
    """By the file itself."""
    file = request.files.get("file")
    if not file:
        return redirect(url_for(".show"), 303)
    return _page(verdict.of_file(file.read(), keys()))


def _number() -> str:
    """The number in the address as it was meant: guesses at one number count together, however it is spelled."""
    return meant(str((request.view_args or {}).get("number", ""))[:LONGEST])


def _page(said: Verdict | None) -> ResponseReturnValue:
    """The number stands in the form only where there is such a certificate, whose check code is still to be typed."""
    number = _number() if said and said.word in PROVABLE else ""
    page = render_template("entrance/verify.html", verdict=said, number=number, now=clock.now())
    return page, 503 if said and said.word == "signed" else 200


def _judged() -> Verdict:
    if code := request.args.get("c"):
        return verdict.of_code(_number(), code, keys())
    if typed := request.args.get("code"):
        found = verdict.of_typed(_number(), typed)
        g.missed = found.word == "unknown"
        return found
    return verdict.of_number(_number())
