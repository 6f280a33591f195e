"""The PDF of a certificate: made once by a worker, stored, and read (手册 第二章·打印)."""

from collections.abc import Callable

from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError

from models import access, clock
from models.application.attachments import Damaged, Store
from models.certificate import Certificate, Paper, paper_queue
from models.certificate.embedded import embedded_digest
from models.certificate.typesetting import Order, Typesetter, TypesettingFailed, unproved, unstamped
from models.signing import check_code, signatures, signed_code
from models.signing.check_code import Facts
from models.signing.keys import Keys, Signer
from models.workflow import Refused

Layout = Callable[[Certificate, str, str, bool], str]  # (certificate, QR code's text, seal's name, demo or not) → HTML
TYPESETTER = Typesetter()


class PaperLost(RuntimeError):
    """The stored bytes of a paper are missing or changed. It is never made again: only a backup has it."""


def paper(certificate: Certificate, store: Store) -> bytes:
    """The stored PDF of a certificate. Raises PaperLost.

    Checked: its bytes have the registered digest, and the snapshot embedded in them is of this certificate.
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


def make_and_commit(key: int, store: Store, keys: Keys, layout: Layout) -> None:
    """Typeset, sign and store the paper of a granted certificate, and delete its task. Commits.

    A certificate has one paper: a second one, made by a race or after a crash, is discarded (手册 第二章·打印). For a
    worker: it takes seconds, a minute for thousands of carrier rows. Raises TypesettingFailed, Busy or Refused.
    """
    with access.everything() as session:
        certificate = session.get_one(Certificate, key)
        if certificate.paper is None:
            application_id, authority = certificate.application_id, certificate.authority
            province = str(certificate.application.province)
            whole = order(certificate, province, keys, layout)
            session.rollback()  # no transaction is open during typesetting
            made = Paper(certificate_id=key, application_id=application_id, made_at=clock.now())
            proved = _proved(TYPESETTER.make_pdf(whole), keys, authority, province)
            made.digest = store.put_bytes(proved)  # bytes before the row that names them
            session.add(made)
            try:
                paper_queue.delete_task(session, key)
                session.commit()
                return
            except DBAPIError:  # UNIQUE or a trigger: there is a paper already
                session.rollback()
                if session.get_one(Certificate, key).paper is None:
                    raise
        paper_queue.delete_task(session, key)
        session.commit()


def _proved(paper: bytes, keys: Keys, authority: str, province: str) -> bytes:
    """The PDF, once its signature has been validated as a PDF reader does; an invalid one is never stored.

    Raises Refused for a time stamp of an authority that is not trusted: the settings are wrong, not the paper.
    """
    try:
        signed = signatures.paper_signature(paper, keys.trusted(), authority, keys.stampers())
    except Refused as unfit:
        raise TypesettingFailed(str(unfit)) from None
    if keys.time_stamps and signed.stamped_at is None:
        raise Refused(unstamped(_("时间戳不是由 FILING_TSA_CA 中的根证书签发")))
    if not signed.is_long_term and keys.embedded_lists(province):
        raise Refused(unproved())
    return paper


def order(certificate: Certificate, province: str, keys: Keys, layout: Layout) -> Order:
    """The typesetting task, from the snapshot taken at the grant and not from the current application.

    Raises Refused when the signing key is unusable or its revocation list is out of date.
    """
    signer = keys.signer(province)
    keys.check_lists(province)
    html = layout(certificate, code_of(certificate, signer), signer.name, signer.demo)
    return Order(html, certificate.content, certificate.issued_on, keys, province)


def code_of(certificate: Certificate, signer: Signer) -> str:
    """The signed code in the QR code: the part after the address."""
    snapshot = certificate.snapshot
    printed = (certificate.number, certificate.issued_on, snapshot["publisher_name"], snapshot["title"])
    unprinted = (check_code.KIND, clock.today(), certificate.valid_until)
    return signed_code.signed(Facts(*printed, certificate.digest, *unprinted), signer.code_key)
