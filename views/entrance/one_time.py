"""Notes shown once: stored encrypted in the visit, with the key only in the session cookie.

Flask's flash() would store the text unencrypted in the cookie, and every copy of the cookie would still contain it.
"""

import json

from cryptography.fernet import Fernet, InvalidToken
from flask import session
from flask_login import current_user

KEY = "note_key"


def add_note(note: str) -> None:
    """Append a note for the next pop_notes(). The caller commits."""
    waiting = [*_waiting(), note]
    key = Fernet.generate_key()
    session[KEY] = key.decode()
    current_user.visit.note = Fernet(key).encrypt(json.dumps(waiting).encode()).decode()


def pop_notes() -> list[str]:
    """Remove and return the waiting notes of this visit. The caller commits."""
    notes = _waiting()
    if current_user.visit.note is not None:
        current_user.visit.note = None
    session.pop(KEY, None)
    return notes


def _waiting() -> list[str]:
    key, encrypted = session.get(KEY), current_user.visit.note
    if not key or not encrypted:
        return []
    try:
        return list(json.loads(Fernet(key).decrypt(encrypted)))
    except (InvalidToken, ValueError):  # encrypted with the key of another tab
        return []
