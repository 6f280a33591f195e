"""The PDF of a certificate: made once by a worker, stored, and read (手册 第二章·打印)."""

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from models import access, clock
from models.application.attachments import Damaged, Store
from models.certificate import Certificate, Paper, paper_queue
from models.certificate.embedded import embedded_digest
from models.certificate.typesetting import Order, Typesetter, TypesettingFailed
from models.signing import check_code, signatures
from models.signing.check_code import Facts
from models.signing.keys import Keys, Signer
from models.workflow import Refused

Layout = Callable[[Certificate, str, str, bool], str]  # (certificate, QR code's text, seal's name, demo or not) → HTML
TYPESETTER = Typesetter()


class PaperLost(RuntimeError):
    """The stored bytes of a paper are missing or changed. It is never made anew: only a backup has it."""


def paper(certificate: Certificate, store: Store) -> bytes:
    """The one file of a certificate whose paper is made, as it was made. Raises PaperLost.

    Its bytes are those registered, and the snapshot in them is that of this certificate and of no other.
    """
    assert certificate.paper is not None
    digest = certificate.paper.digest
    try:
        with store.open(digest) as file:
            if embedded_digest(file) != certificate.digest:
                raise PaperLost(f"not the paper of {certificate.number}: {digest}")
            file.seek(0)
            return file.read()
    except Damaged:
        raise PaperLost(f"the paper of {certificate.number} is not what it was: {digest}") from None
    except FileNotFoundError:
        raise PaperLost(f"the paper of {certificate.number} is gone: {digest}") from None


def complete(key: int, store: Store, keys: Keys, layout: Layout) -> None:
    """Set, sign and keep the paper of a granted certificate, outside any transaction, and take it off the queue.

    Whoever is first stays first: one paper a certificate, whatever crashed or raced before (手册 第二章·打印). For a
    worker: it takes seconds, a minute for thousands of carrier rows. Raises
    TypesettingFailed, Busy or Refused.
    """
    with access.everything() as session:
        certificate = session.get_one(Certificate, key)
        if certificate.paper is None:
            application_id, authority = certificate.application_id, certificate.authority
            whole = order(certificate, str(certificate.application.province), keys, layout)
            session.rollback()  # nothing is held while it is being printed
            made = Paper(certificate_id=key, application_id=application_id, made_at=clock.now())
            proved = _proved(TYPESETTER.make_pdf(whole), keys, authority)
            made.digest = store.keep(proved)  # bytes before the row that names them
            session.add(made)
            try:
                paper_queue.delete_task(session, key)
                session.commit()
                return
            except DBAPIError:  # by the table's own rule or by the guard's: there is a paper already
                session.rollback()
                if session.get_one(Certificate, key).paper is None:
                    raise
        paper_queue.delete_task(session, key)
        session.commit()


def _proved(paper: bytes, keys: Keys, authority: str) -> bytes:
    """The PDF, after its signature was validated as its readers will validate it; an invalid one is never stored."""
    try:
        signatures.paper_signer(paper, keys.trusted(), authority)
    except Refused as unfit:
        raise TypesettingFailed(str(unfit)) from None
    return paper


def order(certificate: Certificate, province: str, keys: Keys, layout: Layout) -> Order:
    """What is to be typeset: from the snapshot taken at the grant, never from the application as it is now."""
    signer = keys.signer(province)
    html = layout(certificate, code_of(certificate, signer), signer.name, signer.demo)
    return Order(html, certificate.content, certificate.issued_on, keys, province)


def code_of(certificate: Certificate, signer: Signer) -> str:
    """What its QR picture says beside the address."""
    snapshot = certificate.snapshot
    said_there = (certificate.number, certificate.issued_on, snapshot["publisher_name"], snapshot["title"])
    return check_code.signed(Facts(*said_there, certificate.digest), signer.code_key)
