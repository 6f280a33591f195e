"""This system as a witness (c2sp.org/tlog-witness): cosigns checkpoints of other registers that continue the last one.

Off unless FILING_WITNESS_FOLDER, _KEY and _LOGS are set. Requests are authenticated by the checkpoint's own signature.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask, Response, abort, current_app, request
from flask_babel import gettext as _

from models.checkpoint.cosigning import NotCosigned, Reason, Witness
from models.checkpoint.named_key import private_key
from models.checkpoint.note import Verifier
from models.checkpoint.witnesses import split_names
from views.entrance.other_sites import exempt_from_token
from views.entrance.rate_limits import limiter

STATUSES = {
    Reason.MALFORMED: 400,
    Reason.NOT_SIGNED: 403,
    Reason.UNKNOWN_LOG: 404,
    Reason.OTHER_STATE: 409,
    Reason.INCONSISTENT: 422,
}
NAMES = ("WITNESS_FOLDER", "WITNESS_KEY", "WITNESS_LOGS")
FILES = ("WITNESS_FOLDER", "WITNESS_KEY", "WITNESS_CA")


def init_app(app: Flask) -> None:
    app.add_url_rule("/witness/add-checkpoint", "witness", exempt_from_token(app, add), methods=["POST"])
    app.add_url_rule("/witness/checkpoint", "witnessed", show)


def check(config: dict[str, Any]) -> None:
    """Raises click.ClickException for settings that cannot be used."""
    for name in FILES:  # from another working directory a relative path would be another, empty folder
        if config[name] and not Path(config[name]).is_absolute():
            raise click.ClickException(_("FILING_%(name)s 应为以 / 开头的完整路径，请改正后再启动。", name=name))
    if not all(config[name] for name in NAMES) and any(config[name] for name in NAMES):
        raise click.ClickException(_("FILING_WITNESS_FOLDER、_KEY 和 _LOGS 须一并设置，请改正后再启动。"))
    if config["WITNESS_KEY"]:
        try:
            witness_of(config)
        except (OSError, ValueError):  # Unverified is a ValueError
            sentence = _("FILING_WITNESS_KEY 或 _LOGS 不能识别，应为 trail new-key 生成的私钥和公钥，请改正后再启动。")
            raise click.ClickException(sentence) from None


def witness_of(config: dict[str, Any]) -> Witness:
    """The witness of the settings. Raises OSError or ValueError."""
    key = private_key(Path(config["WITNESS_KEY"]))
    logs = tuple(Verifier.of_text(text) for text in split_names(config["WITNESS_LOGS"]))
    return Witness(f"{urlsplit(config['BASE_URL']).netloc}/witness", key, logs, Path(config["WITNESS_FOLDER"]))


@limiter.limit("60 per minute")
def add() -> Response:
    """The line that cosigns the checkpoint in the body of the request."""
    try:
        return current_app.response_class(_witness().add(request.get_data(cache=False)), mimetype="text/plain")
    except NotCosigned as why:
        return _refusal(why)
    except OSError:
        current_app.logger.exception("a checkpoint cannot be cosigned")
        abort(503)


def _refusal(why: NotCosigned) -> Response:
    """The error response; for OTHER_STATE with the size of the last cosigned checkpoint, from which to prove again."""
    if why.reason is not Reason.OTHER_STATE:
        return current_app.response_class(status=STATUSES[why.reason], mimetype="text/plain")
    return current_app.response_class(f"{why.size}\n", STATUSES[why.reason], content_type="text/x.tlog.size")


@limiter.limit("60 per minute")
def show() -> Response:
    """The last note that was cosigned for the log `origin`; not part of the protocol, which leaves reading open."""
    note = _witness().newest(request.args.get("origin", ""))
    return current_app.response_class(note, mimetype="text/plain") if note else abort(404)


def _witness() -> Witness:
    """The witness of the settings; answers 404 without one, and 503 while its key cannot be read."""
    if not current_app.config["WITNESS_KEY"]:
        abort(404)
    try:
        return witness_of(current_app.config)
    except (OSError, ValueError):
        current_app.logger.exception("the key of the witness cannot be read")
        abort(503)
