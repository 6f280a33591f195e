"""The 校验码 that a person types: random, stored with its certificate; and normalizing of typed codes."""

import re
import secrets
import unicodedata

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no two characters look alike
LOOK_ALIKES = str.maketrans("OIL", "011")
TYPED_LENGTH = 12  # characters, 60 bits


def new_typed_code() -> str:
    """A new 校验码: random, because numbers are consecutive and must prove nothing (AC7)."""
    bits = secrets.randbits(5 * TYPED_LENGTH)
    return "".join(SIGNS[bits >> 5 * place & 31] for place in range(TYPED_LENGTH))


def plain(typed: str) -> str:
    """A typed code or number in capitals, without dashes, blanks and full-width characters."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", typed)).upper()


def matches_typed_code(typed: str, stored: str) -> bool:
    """Whether `typed` is the stored 校验码, look-alikes (O, I, L) accepted; False when none is stored."""
    normalized = plain(typed).translate(LOOK_ALIKES)
    return len(stored) == TYPED_LENGTH and secrets.compare_digest(normalized.encode(), stored.encode())
