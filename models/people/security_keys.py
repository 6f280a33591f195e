"""Security keys and passkeys (WebAuthn Level 3): enrolment, verification, removal. User verification is required."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from models import clock, log
from models.clock import Moment
from models.database import Base
from models.log import Place, SignIn
from models.people.accounts import Account
from models.text import without_format_characters
from models.workflow import Refused

MOST_KEYS = 10  # of one account
LONGEST_NAME = 40
CHALLENGE = 32  # random bytes
TIMEOUT = 120_000  # milliseconds that the browser waits for the person
# What the package raises, and its parsers, for anything but a valid answer of a browser.
INVALID = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True)
class RelyingParty:
    """For whom a key answers: the host name and the origin of this system, and its name."""

    id: str
    origin: str
    name: str


class SecurityKey(Base):
    """One key of an account. Row security: its own account's, and operators see all. Removed ones are deleted."""

    __tablename__ = "security_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    account: Mapped[Account] = relationship(lazy="joined")
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url of at most 1,023 bytes
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    handle: Mapped[str] = mapped_column(String(90))  # user handle: random, base64url, the same for all of an account
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    synced: Mapped[bool] = mapped_column()  # a passkey that its owner's devices share; otherwise bound to one device
    count: Mapped[int] = mapped_column(BigInteger)  # signature counter of the last use
    added_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = {"sqlite_autoincrement": True}  # a page that is still open never names the key of somebody else


def keys_of(session: Session, account_id: int) -> list[SecurityKey]:
    """The keys of an account, oldest first."""
    return list(
        session.scalars(select(SecurityKey).where(SecurityKey.account_id == account_id).order_by(SecurityKey.id))
    )


def has_key(session: Session, account_id: int) -> bool:
    return session.scalar(select(SecurityKey.id).where(SecurityKey.account_id == account_id).limit(1)) is not None


def _described(keys: list[SecurityKey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential_id)) for key in keys]


def enrolment_options(session: Session, account: Account, party: RelyingParty) -> tuple[dict[str, Any], str]:
    """(options for navigator.credentials.create, challenge); raises Refused when there are MOST_KEYS already."""
    keys = keys_of(session, account.id)
    _assert_room(len(keys))
    handle = base64url_to_bytes(keys[0].handle) if keys else secrets.token_bytes(32)
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=handle,
        challenge=secrets.token_bytes(CHALLENGE),
        user_name=account.username,
        user_display_name=account.name,
        timeout=TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_described(keys),
    )
    return options_to_json_dict(options), bytes_to_base64url(options.challenge)


def _assert_room(count: int) -> None:
    if count >= MOST_KEYS:
        raise Refused(_("已登记 %(count)s 把密钥，请先移除不用的，再登记新的。", count=count))


@dataclass(frozen=True)
class Enrolling:
    """What the options of an enrolment have asked for: challenge and user handle, base64url."""

    challenge: str
    handle: str


def enrol(
    session: Session, account: Account, answer: str, asked: Enrolling, party: RelyingParty, name: str
) -> SecurityKey:
    """The new key, flushed; `answer`: JSON of the browser. Raises Refused; IntegrityError for a known credential."""
    name = without_format_characters(name).strip()
    if not name or len(name) > LONGEST_NAME:
        raise Refused(_("请给密钥起一个名称，最多 %(most)s 个字，例如“办公室密钥”。", most=LONGEST_NAME))
    _assert_room(session.scalar(select(func.count(SecurityKey.id)).where(SecurityKey.account_id == account.id)) or 0)
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(asked.challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except INVALID as wrong:
        raise Refused(
            _("密钥没有登记：浏览器给出的内容没有通过核验，请重试；密钥须能验证指纹、面容或 PIN。")
        ) from wrong
    key = SecurityKey(account_id=account.id, credential_id=bytes_to_base64url(found.credential_id), name=name)
    key.public_key, key.handle, key.count = found.credential_public_key, asked.handle, found.sign_count
    key.synced, key.added_at = found.credential_device_type is CredentialDeviceType.MULTI_DEVICE, clock.now()
    session.add(key)
    session.flush()
    return key


def sign_in_options(session: Session, party: RelyingParty, account_id: int | None) -> tuple[dict[str, Any], str]:
    """(options for navigator.credentials.get, challenge); without an account, for any key: it knows its owner."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=secrets.token_bytes(CHALLENGE),
        timeout=TIMEOUT,
        allow_credentials=_described(keys_of(session, account_id)) if account_id is not None else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options), bytes_to_base64url(options.challenge)


@dataclass(frozen=True)
class KeyUse:
    """A key that was verified: whose, and which."""

    account_id: int
    name: str


def verify_use(
    session: Session, answer: str, challenge: str, party: RelyingParty, place: Place, account_id: int | None = None
) -> KeyUse:
    """Verify the answer of a browser, of that account's keys if one is given. Commits, for it writes the log.

    Raises Refused, with one sentence whether the key is unknown, removed, or its account disabled. For a session that
    sees everything.
    """
    key, used = _verified(session, answer, challenge, party, account_id)
    if key is None or used is None or not key.account.is_active:
        kind = SignIn.ACCOUNT_DISABLED if used and key else SignIn.KEY_REFUSED
        asked = account_id or (key.account_id if key else None)
        name = key.name if key and key.account_id == asked else ""  # nothing of a key of somebody else
        log.record(session, kind, session.get(Account, asked) if asked else None, place, words=name)
        session.commit()
        raise Refused(
            _("密钥没有通过核验，没有登录。请使用已登记的密钥再试；仍不能登录的，请用用户名登录，或联系系统管理员。")
        )
    if not key.synced and key.count and used.new_sign_count <= key.count:  # a hint at a copy, never a lock
        log.record(session, SignIn.KEY_COUNTER, key.account, place, words=key.name)
    key.count, key.used_at = used.new_sign_count, clock.now()
    session.commit()
    return KeyUse(key.account_id, key.name)


def _verified(
    session: Session, answer: str, challenge: str, party: RelyingParty, account_id: int | None
) -> tuple[SecurityKey | None, VerifiedAuthentication | None]:
    """(the key that the answer names, what was verified of it): None for what is unknown or does not hold."""
    key = None
    try:
        given = parse_authentication_credential_json(answer)
        if given.id != bytes_to_base64url(given.raw_id):  # before the database sees a text that it cannot take
            return None, None
        key = session.scalar(select(SecurityKey).where(SecurityKey.credential_id == given.id))
        if key is None or not _belongs(key, given, account_id):
            return key, None
        return key, verify_authentication_response(
            credential=given,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=0,  # counters are compared by verify_use, which refuses nobody for them
            require_user_verification=True,
        )
    except INVALID:
        return key, None


def _belongs(key: SecurityKey, given: AuthenticationCredential, account_id: int | None) -> bool:
    """Whether the key is of the account that is asked for, or, when none is, names the account that it was made for."""
    handle = given.response.user_handle
    if account_id is not None and key.account_id != account_id:
        return False
    return (handle is None and account_id is not None) or handle == base64url_to_bytes(key.handle)


def remove(session: Session, account_id: int, key_id: int) -> str:
    """Delete a key of the account; its name. Raises Refused when it is gone already. Does not commit."""
    own = (SecurityKey.id == key_id) & (SecurityKey.account_id == account_id)
    name = session.scalar(select(SecurityKey.name).where(own))
    gone: Any = session.execute(delete(SecurityKey).where(own), execution_options={"synchronize_session": False})
    if name is None or not gone.rowcount:
        raise Refused(_("这把密钥已经移除，请刷新页面核对。"))
    return name
