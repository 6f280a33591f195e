"""/healthz: the health check for monitoring. One word per problem and line; contains nothing confidential."""

from collections.abc import Callable, Iterator
from threading import Lock
from time import monotonic

from flask import Flask, Response, current_app, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import access, deadlines
from models.application import scanning
from models.backup import registered_store, unfinished_restore
from models.certificate import paper_queue
from models.checkpoint import witnesses as checkpoints
from models.customs import health as exchange
from models.customs import heartbeat, receipt
from models.database import briefly, has_disk_space, version
from models.files.store_errors import StoreUnusable
from models.log import chain as log_chain
from models.notifications import letters, reminders
from models.people.accounts import Account
from models.vocabulary import Role
from views.certificate import paper_worker
from views.entrance import card_login
from views.entrance.addresses import is_among
from views.entrance.rate_limits import limiter
from views.resources import keys, mail_pace, mail_server, pace, scanner, store, witnesses


class Prober:
    """Runs `probe` at most once in `every` seconds and caches its result in between."""

    every = 10.0

    def __init__(self, probe: Callable[[], bool]) -> None:
        self.probe = probe
        self.lock, self.results = Lock(), dict[str, tuple[float, bool]]()

    def is_well(self, address: str) -> bool:
        """The result of the probe, cached per address; one probe at a time."""
        with self.lock:
            at, well = self.results.get(address, (-self.every, False))
            if monotonic() >= at + self.every:
                well = self.probe()
                self.results = {address: (monotonic(), well)}
            return well


def probe_store() -> bool:
    try:
        store().probe()
    except StoreUnusable:
        current_app.logger.exception("the store cannot be used")
        return False
    return True


def scans_uploads() -> bool:
    """Whether uploads are scanned for viruses."""
    return scanner() is not None


def probe_scanner() -> bool:
    known = scanner()
    return known is not None and known.ping()


def probe_database() -> bool:
    """Whether a row can be written (commits it), and the disk of an SQLite database has space."""
    try:
        with access.everything() as session, briefly(session, SECONDS):
            heartbeat.probe(session)
    except SQLAlchemyError:
        current_app.logger.exception("the database cannot be written")
        return False
    return has_disk_space()


FOLLOWING = {"deliverer", "overdue", "mail", "reminders", "checkpoint", "witness"}  # caused by a hold
SECONDS = 5  # that one query may take
MOST_RECEIPTS = 20  # numbers of failing receipts in the details
STORE, DATABASE, SCANNER = Prober(probe_store), Prober(probe_database), Prober(probe_scanner)


def init_app(app: Flask) -> None:
    app.add_url_rule("/healthz", view_func=health)


@limiter.limit("300 per minute")  # each request queries the database; a monitor sends a few a minute
def health() -> Response:
    """`ok`, or 503 with the words of problems().

    If may_see_details(), `?details` adds the lines of details().
    """
    wrong = list(problems())
    asked = "details" in request.args and may_see_details()
    lines = [*(wrong or ["ok"]), *(details(not {"database", "restore"}.isdisjoint(wrong)) if asked else ())]
    return Response("".join(f"{line}\n" for line in lines), 503 if wrong else 200, mimetype="text/plain")


def may_see_details() -> bool:
    """Whether the client is one of HEALTH_ADDRESSES or a signed-in 系统管理员: a version number helps an attacker."""
    if is_among(request.remote_addr or "", current_app.config["HEALTH_ADDRESSES"]):
        return True
    try:
        return getattr(current_user, "role", None) is Role.OPERATOR
    except SQLAlchemyError:  # without the database nobody is signed in
        return False


def details(unreachable: bool) -> Iterator[str]:
    """The lines of `?details`: version of the database, result of the last `sweep --check`, calendar, unscanned files.

    `unreachable`: the database does not answer or is incomplete. `!` after the last day of the calendar: the next
    notice of holidays is due.
    """
    if known := version():
        yield known
    if unreachable:
        return
    with access.everything() as session:
        if found := registered_store.last_check(session):
            yield f"missing files {found[1]} ({found[0]:%Y-%m-%d %H:%M})"
        horizon = deadlines.horizon(session)
        yield f"calendar until {horizon.last or 'unknown'}{'!' if horizon.is_near else ''}"
        if horizon.beyond:
            yield f"deadlines beyond the calendar {horizon.beyond}"
        files, forms = scanning.count_unscanned(session), scanning.count_unscanned_forms(session)
        if files or forms:
            yield f"not scanned for viruses: attachments {files}, blank forms {forms}"
        if failing := receipt.failing(session, MOST_RECEIPTS):
            yield f"receipts that cannot be processed: {' '.join(str(row.id) for row in failing)}"
        if log_chain.is_late(session):
            yield "log entries without a seal"


def problems(known: exchange.Health | None = None) -> Iterator[str]:
    """Current problems, as words: database (does not answer, or cannot be written: full or read-only), restore
    (unfinished), keys, missing (files), store (full, read-only or unreachable); of the exchange with customs: deliverer
    (no process runs), overdue, set_aside, rejected, unanswered, receipts (some cannot be processed); papers (overdue)
    and papers_set_aside; mail (e-mails are overdue); reminders (have stopped) and reminders_failed; checkpoint (none
    was signed for two days) and witness (one was given none for two days); held (nothing is sent since a restore), in
    place of the words that follow from it; cards (an issuer has no valid CRL); virus (clamd does not answer, so that no
    file can be uploaded). `known`: the health of the exchange, where the caller has queried it."""
    found: list[str] = []
    try:
        with access.everything() as session, briefly(session, SECONDS):
            if unfinished_restore.is_marked(session):
                yield "restore"
                return  # the tables may be incomplete
            found = [*_problems_in_database(session, known)]
        trusted = card_login.authorities()
        found += ["cards"] if trusted and not trusted.are_usable() else []
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        yield "database"
        return
    if not DATABASE.is_well(current_app.config["SQLALCHEMY_DATABASE_URI"]):
        yield "database"
    if scans_uploads() and not SCANNER.is_well(str(current_app.config["CLAMD"])):
        yield "virus"
    if not STORE.is_well(current_app.config["STORE"]):
        yield "store"
    yield from found


def _problems_in_database(session: Session, known: exchange.Health | None) -> list[str]:
    """The problems that the tables show. While sending is held, `held` replaces the words that follow from it."""
    rounds = heartbeat.rounds(session)
    delivered, _words = rounds.get(heartbeat.ONLY, (None, ""))
    found = [*_file_problems(session), *(known or exchange.health_with(session, pace(), delivered)).problems]
    found += ["receipts"] if receipt.any_failing(session) else []
    found += paper_queue.problems(session, paper_worker.pace())
    found += letters.problems(session, mail_pace()) if mail_server() else []
    found += reminders.problems(rounds.get(heartbeat.REMINDER))
    found += checkpoints.problems(session, witnesses()) if current_app.config["CHECKPOINTS"] else []
    return ["held", *(word for word in found if word not in FOLLOWING)] if heartbeat.ON_HOLD in rounds else found


def _file_problems(session: Session) -> Iterator[str]:
    """`keys`: a province with an active reviewer lacks keys, or a public key cannot be read; `missing`: the last check
    found missing files."""
    reviewers = select(Account.province).where(Account.role == Role.REVIEWER, Account.active).distinct()
    try:
        provinces = [str(province) for province in session.scalars(reviewers)]
        if keys().missing(provinces) or (provinces and not keys().read_code_keys()[1]):
            yield "keys"
    except OSError as error:
        current_app.logger.error("the keys cannot be read: %s", error)
        yield "keys"
    last = registered_store.last_check(session)
    if last and last[1]:
        yield "missing"
