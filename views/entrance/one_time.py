"""A note that is shown once: encrypted in the database until then, its key in the session's cookie and nowhere else.

A flashed message lies readable in the cookie, and a copy of that cookie keeps it for ever.
"""

import json

from cryptography.fernet import Fernet, InvalidToken
from flask import session
from flask_login import current_user

KEY = "note_key"


def leave(note: str) -> None:
    """Keep a note for the next `take`, behind those that wait already. The caller commits."""
    waiting = [*_waiting(), note]
    key = Fernet.generate_key()
    session[KEY] = key.decode()
    current_user.visit.note = Fernet(key).encrypt(json.dumps(waiting).encode()).decode()


def take() -> list[str]:
    """The notes that wait for this visit; they are gone when the caller commits."""
    notes = _waiting()
    if current_user.visit.note is not None:
        current_user.visit.note = None
    session.pop(KEY, None)
    return notes


def _waiting() -> list[str]:
    key, kept = session.get(KEY), current_user.visit.note
    if not key or not kept:
        return []
    try:
        return list(json.loads(Fernet(key).decrypt(kept)))
    except (InvalidToken, ValueError):  # of another tab's key
        return []
