"""Why a file cannot be accepted: one flaw for each thing that a person can do about it."""

from enum import StrEnum


class Flaw(StrEnum):
    """Why a file cannot be accepted."""

    EMPTY = "empty"  # no bytes, or a PDF without a page
    KIND = "kind"
    CUT = "cut"  # its end is missing
    BROKEN = "broken"  # it cannot be opened
    COMPLEX = "complex"  # it takes more memory or time than any honest file
    ACTIVE = "active"
    EMBEDDED = "embedded"
    LOCKED = "locked"
    LARGE = "large"
    BUSY = "busy"  # nothing is known of the file: the server had no time for it
    TOO_MANY = "too_many"  # nor here: as many others of the same account are being inspected


class Flawed(Exception):
    """A file that cannot be accepted; args[0] is the flaw."""
