"""Hash functions of the seals that chain trail and log: SHA-256, or SM3 (GB/T 32905), as FILING_SEAL_ALGORITHM says.

Each entry names its own, so that older ones verify after the setting has changed.
"""

import hashlib

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models.workflow import Refused

OPTION = "seal_algorithm"  # execution option of the engine
GENESIS = "0" * 64  # in place of the seal before the first one
SHA256 = "sha256"
ALGORITHMS = (SHA256, "sm3")


def is_available(algorithm: str) -> bool:
    """Whether it is one of ALGORITHMS, and this machine's OpenSSL has it."""
    if algorithm not in ALGORITHMS:
        return False
    try:
        hashlib.new(algorithm)
    except ValueError:
        return False
    return True


def algorithm_of(session: Session) -> str | None:
    """The algorithm of new entries, as they store it: None for SHA-256, as in entries before migration 0046."""
    found: str | None = session.connection().get_execution_options().get(OPTION)
    return None if found == SHA256 else found


def seal(content: str, algorithm: str | None) -> str:
    """The hash of `content` in hex, 64 digits; "" for a name that is not in ALGORITHMS, which no seal equals.

    Raises Refused where this machine's OpenSSL does not have it: the seal is neither right nor wrong then.
    """
    if algorithm is not None and algorithm not in ALGORITHMS:
        return ""
    try:
        return hashlib.new(algorithm or SHA256, content.encode()).hexdigest()
    except ValueError as why:
        lacking = _("本机的 OpenSSL 不支持 %(name)s，不能核对留痕。请换用支持它的 OpenSSL，再运行一次。")
        raise Refused(lacking % {"name": algorithm}) from why
