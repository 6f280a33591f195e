"""Certificates on IC cards and IKeys, each bound to an account by issuer and serial number."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, Session, make_transient, mapped_column, relationship

from models import clock, log
from models.clock import Moment
from models.database import NO_SYNC, Base
from models.log import Place, SignIn
from models.people.accounts import Account
from models.people.card_authorities import CardAuthorities
from models.people.certificates import INVALID
from models.people.signin_failures import hashed
from models.text import without_format_characters
from models.workflow import Refused

LONGEST = 300  # characters stored of a subject
REPEATED = timedelta(hours=1)  # in which repeated refusals of the same card make one entry in the log
COMMON_NAME = x509.NameOID.COMMON_NAME


class CardCertificate(Base):
    """A card that its account signs in with. Row security: its own account's, and operators see and write all."""

    __tablename__ = "card_certificate"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    account: Mapped[Account] = relationship(lazy="joined")
    issuer_hash: Mapped[str] = mapped_column(String(64))  # SHA-256 of the issuer's name and public key
    serial: Mapped[str] = mapped_column(String(64))  # hex
    issuer: Mapped[str] = mapped_column(String(LONGEST))
    subject: Mapped[str] = mapped_column(String(LONGEST))
    ends_at: Mapped[datetime] = mapped_column(Moment)
    added_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("issuer_hash", "serial"), {"sqlite_autoincrement": True})


def read_certificate(content: bytes) -> x509.Certificate:
    """A certificate in PEM or DER, whose names can be read; raises Refused for anything else."""
    try:
        is_text = b"-----BEGIN" in content
        read = x509.load_pem_x509_certificate(content) if is_text else x509.load_der_x509_certificate(content)
        holder(read), read.issuer.rfc4514_string()
    except INVALID:
        raise Refused(_("这不是可以读取的证书文件，请从卡中导出证书（.cer、.crt 或 .pem）后再试。")) from None
    return read


def holder(certificate: x509.Certificate) -> str:
    """The subject for display: the common name, or else the whole distinguished name."""
    names = certificate.subject.get_attributes_for_oid(COMMON_NAME)
    return without_format_characters(str(names[0].value if names else certificate.subject.rfc4514_string()))[:LONGEST]


def cards_of(session: Session, account_id: int) -> list[CardCertificate]:
    """The cards of an account, oldest first."""
    own = select(CardCertificate).where(CardCertificate.account_id == account_id)
    return list(session.scalars(own.order_by(CardCertificate.id)))


def bind(session: Session, account: Account, content: bytes, authorities: CardAuthorities) -> CardCertificate:
    """Bind the certificate of a file to the account; raises Refused. Flushes; the caller commits."""
    certificate = read_certificate(content)
    authorities.check(certificate)
    if bound := _bound(session, certificate, authorities):
        raise Refused(_("这张卡已登记到账号 %(name)s，请先在那里移除。", name=bound.account.username))
    identity = _identity(certificate, authorities)
    assert identity is not None  # checked above
    card = CardCertificate(account_id=account.id, issuer_hash=identity[0], serial=identity[1], added_at=clock.now())
    issuer = without_format_characters(certificate.issuer.rfc4514_string())
    card.issuer, card.subject = issuer[:LONGEST], holder(certificate)
    card.ends_at = certificate.not_valid_after_utc
    session.add(card)
    session.flush()
    return card


def _identity(certificate: x509.Certificate, authorities: CardAuthorities) -> tuple[str, str] | None:
    """(issuer_hash, serial); None when no accepted authority signed it. Issuers differ by name and public key."""
    issuer = authorities.issuer_of(certificate)
    if issuer is None:
        return None
    key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashed((issuer.subject.public_bytes() + key).hex()), f"{certificate.serial_number:x}"[:64]


def _bound(session: Session, certificate: x509.Certificate, authorities: CardAuthorities) -> CardCertificate | None:
    identity = _identity(certificate, authorities)
    if identity is None:
        return None
    same = (CardCertificate.issuer_hash == identity[0]) & (CardCertificate.serial == identity[1])
    return session.scalar(select(CardCertificate).where(same))


def check_and_log(session: Session, certificate: x509.Certificate, authorities: CardAuthorities, place: Place) -> None:
    """Raises Refused for a certificate that is not accepted; logged once an hour if it is bound. Commits.

    For a session that sees everything.
    """
    try:
        authorities.check(certificate)
    except Refused as refused:
        if card := _bound(session, certificate, authorities):
            about, since = (holder(certificate)[:64], refused), clock.now() - REPEATED
            if not log.has(session, SignIn.CARD_REFUSED, card.account.username, *about, since):
                log.record(session, SignIn.CARD_REFUSED, card.account, place, *about)
                session.commit()
        raise


@dataclass(frozen=True)
class CardUse:
    """A verified card: its account, its holder's name, and its row."""

    account_id: int
    holder: str
    card_id: int


def verify_card_and_commit(
    session: Session, certificate: x509.Certificate, authorities: CardAuthorities, place: Place
) -> CardUse:
    """Look up the account of a card whose possession TLS has proved. Writes the log and commits.

    Raises Refused, with the same sentence for an unknown card and for a disabled account. For a session that sees
    everything.
    """
    card = _bound(session, certificate, authorities)
    account = card.account if card else None
    try:
        authorities.check(certificate)
        if card is None or not card.account.is_active:
            raise Refused(_l("这张卡没有登记到可以使用的账号，请用用户名登录，或联系系统管理员登记。"))
    except Refused as refused:
        log.record(session, SignIn.CARD_REFUSED, account, place, holder(certificate)[:64], refused)
        session.commit()
        raise
    session.execute(update(CardCertificate).where(CardCertificate.id == card.id).values(used_at=clock.now()), **NO_SYNC)
    make_transient(card)  # its row may be deleted: do not read it again
    session.commit()
    return CardUse(card.account_id, card.subject, card.id)


def remove(session: Session, account_id: int, card_id: int) -> str:
    """Delete a card of the account; returns its subject. Raises Refused when it is deleted already. Does not commit."""
    own = (CardCertificate.id == card_id) & (CardCertificate.account_id == account_id)
    subject = session.scalar(delete(CardCertificate).where(own).returning(CardCertificate.subject), **NO_SYNC)
    if subject is None:
        raise Refused(_("这张卡已经移除，请刷新页面核对。"))
    return subject
