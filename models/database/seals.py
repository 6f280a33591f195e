"""Hash functions of the seals that chain the trail: SHA-256, or SM3 (GB/T 32905), as FILING_SEAL_ALGORITHM says.

Each entry names its own, so that older ones verify after the setting has changed.
"""

import hashlib

from sqlalchemy.orm import Session

OPTION = "seal_algorithm"  # execution option of the engine
SHA256 = "sha256"
ALGORITHMS = (SHA256, "sm3")


def is_available(algorithm: str) -> bool:
    """Whether it is one of ours, and this machine's OpenSSL has it."""
    if algorithm not in ALGORITHMS:
        return False
    try:
        hashlib.new(algorithm)
    except ValueError:
        return False
    return True


def named(session: Session) -> str | None:
    """What new entries are sealed with, as they name it: None for SHA-256, as in entries before migration 0046."""
    found: str | None = session.connection().get_execution_options().get(OPTION)
    return None if found == SHA256 else found


def seal(content: str, algorithm: str | None) -> str:
    """The hash of `content` in hex, 64 digits; "" for a name that is none of ours, which no seal equals."""
    if algorithm is not None and algorithm not in ALGORITHMS:
        return ""
    return hashlib.new(algorithm or SHA256, content.encode()).hexdigest()
