"""Public page 查验: whether a certificate is valid."""

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from models import clock, verdict
from models.numbering import parse_number
from models.signing.typed_code import plain
from models.verdict import Verdict
from views.entrance.addresses import client_network
from views.entrance.rate_limits import limiter
from views.entrance.security import fill_with_sentence
from views.resources import keys

LONGEST = 100  # characters of a typed number or code that are read

verify = Blueprint("verify", __name__, url_prefix="/verify")


limiter.limit("20 per minute", methods=["POST"])(verify)  # per address; on the blueprint: before the file is read


def guess_key() -> str:
    """Key of the rate limit of check codes: client and number, so that nobody can exhaust it for others."""
    return f"{client_network()} {_number()}"


def is_wrong_guess(_response: Response) -> bool:
    """Whether this request typed a wrong check code, so that Flask-Limiter counts it."""
    return bool(g.get("wrong_check_code"))


def types_no_code() -> bool:
    """Whether this request types no check code."""
    return "code" not in request.args


@verify.errorhandler(413)
def too_large(error: HTTPException) -> ResponseReturnValue:
    words = _("文件超过 %(most)s MB，不是签发的备案证明，请核对后重新选择。", most=current_app.config["ATTACHMENT_MB"])
    return fill_with_sentence(current_app.make_response(error.get_response()), words)


@verify.get("/")
@verify.get("/<path:number>")
@limiter.limit("120 per minute")  # per address; a customs house has one for all its counters
# Wrong check codes, which have 60 bits (AC7).
@limiter.limit("10 per minute", key_func=guess_key, exempt_when=types_no_code, deduct_when=is_wrong_guess)
def show(number: str = "") -> ResponseReturnValue:
    """Verdict by the number in the path, with `c` of the QR code or a typed check `code`."""
    code = plain(request.args.get("code", ""))
    if typed := parse_number(request.args.get("number", "")):
        return redirect(url_for(".show", number=typed, code=code or None))
    if "number" in request.args and not number:
        return _page(None, {"number": _("请填写证明编号，印在证明的左上方，以 Z 开头。")})
    return _page(_verify()) if number else _page(None)


@verify.post("/")
def upload() -> ResponseReturnValue:
    """Verdict by the uploaded file."""
    file = request.files.get("file")
    if not file:
        return _page(None, {"file": _("请先选择证明文件（PDF），再点击“查验文件”。")})
    return _page(verdict.of_file(file.read(), keys()))


def _number() -> str:
    """The number in the path, normalized, so that all its spellings share one rate limit."""
    return parse_number(str((request.view_args or {}).get("number", ""))[:LONGEST])


def _page(found: Verdict | None, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    """The page with its verdict. Typed numbers and codes stay in the form; those of a scanned QR code do not.

    `wrong`: field → sentence. Status: 422 for a wrong upload, 503 if it must be asked again later, else 200.
    """
    scanned = "c" in request.args
    number, code = ("", "") if scanned else (_number(), plain(request.args.get("code", ""))[:LONGEST])
    page = render_template(
        "entrance/verify.html", verdict=found, number=number, code=code, wrong=wrong or {}, now=clock.now()
    )
    return page, 422 if wrong and request.method == "POST" else 503 if found and found.word == "later" else 200


def _verify() -> Verdict:
    if code := request.args.get("c"):
        return verdict.of_code(_number(), code, keys())
    if typed := request.args.get("code"):
        found = verdict.of_typed(_number(), typed)
        g.wrong_check_code = found.word == "unknown"
        return found
    return verdict.of_number(_number())
