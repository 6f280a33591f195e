"""Security keys and passkeys (WebAuthn Level 3): enrolment and verification. User verification is required.

Imported when a key is asked for: the package and its parsers take 8 MB.
"""

import secrets
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session, make_transient
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
from models.database import NO_SYNC
from models.log import Place, SignIn
from models.people.accounts import Account
from models.people.security_keys import (
    LONGEST_NAME,
    MOST_KEYS,
    Enrolling,
    KeyUse,
    RelyingParty,
    SecurityKey,
    keys_of,
)
from models.text import without_format_characters
from models.workflow import Refused

CHALLENGE = 32  # random bytes
TIMEOUT = 120_000  # milliseconds that the browser waits for the person
# Raised by the package and its parsers for an invalid answer.
INVALID = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, RecursionError)


def _described(keys: list[SecurityKey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential_id)) for key in keys]


def enrolment_options(session: Session, account: Account, party: RelyingParty) -> tuple[dict[str, Any], str]:
    """(options for navigator.credentials.create, challenge); raises Refused when there are MOST_KEYS already."""
    keys = keys_of(session, account.id)
    _assert_below_limit(len(keys))
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


def _assert_below_limit(count: int) -> None:
    if count >= MOST_KEYS:
        raise Refused(_("已登记 %(count)s 把密钥，请先移除不用的，再登记新的。", count=count))


def enrol(
    session: Session, account: Account, answer: str, asked: Enrolling, party: RelyingParty, name: str
) -> SecurityKey:
    """The new key, flushed; `answer`: JSON of the browser. Raises Refused; IntegrityError for a known credential."""
    name = without_format_characters(name).strip()
    if not name or len(name) > LONGEST_NAME:
        raise Refused(_("请给密钥起一个名称，最多 %(most)s 个字，例如“办公室密钥”。", most=LONGEST_NAME))
    _assert_below_limit(len(keys_of(session, account.id)))
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
    """(options for navigator.credentials.get, challenge); without an account: a discoverable key names its owner."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=secrets.token_bytes(CHALLENGE),
        timeout=TIMEOUT,
        allow_credentials=_described(keys_of(session, account_id)) if account_id is not None else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options), bytes_to_base64url(options.challenge)


def verify_use_and_commit(
    session: Session, answer: str, challenge: str, party: RelyingParty, place: Place, account_id: int | None = None
) -> KeyUse:
    """Verify the answer of a browser, by a key of the account if one is given. Writes the log and commits.

    Raises Refused, with one sentence whether the key is unknown, removed, or its account disabled. For a session that
    sees everything.
    """
    key, used = _verified(session, answer, challenge, party, account_id)
    if key is None or used is None or not key.account.is_active:
        kind = SignIn.ACCOUNT_DISABLED if used and key else SignIn.KEY_REFUSED
        asked = account_id or (key.account_id if key else None)
        name = key.name if key and key.account_id == asked else ""  # never the name of another account's key
        log.record(session, kind, session.get(Account, asked) if asked else None, place, words=name)
        session.commit()
        raise Refused(
            _("密钥没有通过核验，没有登录。请使用已登记的密钥再试；仍不能登录的，请用用户名登录，或联系系统管理员。")
        )
    if not key.synced and key.count and used.new_sign_count <= key.count:  # may be a cloned key: logged, not refused
        log.record(session, SignIn.KEY_COUNTER, key.account, place, words=key.name)
    _note_use_and_commit(session, key, used.new_sign_count)
    return KeyUse(key.account_id, key.name, key.id)


def _note_use_and_commit(session: Session, key: SecurityKey, count: int) -> None:
    """Store counter and time of this use; of a key removed meanwhile nothing (proofs.lock() refuses it). Commits."""
    session.execute(
        update(SecurityKey).where(SecurityKey.id == key.id).values(count=count, used_at=clock.now()), **NO_SYNC
    )
    make_transient(key)  # its row may be deleted
    session.commit()


def _verified(
    session: Session, answer: str, challenge: str, party: RelyingParty, account_id: int | None
) -> tuple[SecurityKey | None, VerifiedAuthentication | None]:
    """(key named by the answer, result of the verification); None: unknown key, or verification failed."""
    key = None
    try:
        given = parse_authentication_credential_json(answer)
        if given.id != bytes_to_base64url(given.raw_id):  # checked before the query: PostgreSQL rejects some texts
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
            credential_current_sign_count=0,  # compared by verify_use_and_commit() instead, which only logs it
            require_user_verification=True,
        )
    except INVALID:
        return key, None


def _belongs(key: SecurityKey, given: AuthenticationCredential, account_id: int | None) -> bool:
    """Whether the key is the account's, or, without `account_id`, whether the answer has the key's user handle."""
    handle = given.response.user_handle
    if account_id is not None and key.account_id != account_id:
        return False
    return (handle is None and account_id is not None) or handle == base64url_to_bytes(key.handle)
