"""Why a file cannot be accepted: one flaw for each thing that a person can do about it."""

from enum import StrEnum


class Flaw(StrEnum):
    """Why a file cannot be accepted."""

    EMPTY = "empty"  # no bytes, or a PDF without a page
    KIND = "kind"  # no PDF, JPEG, PNG or TIFF
    CUT = "cut"  # its end is missing
    BROKEN = "broken"  # it cannot be opened
    COMPLEX = "complex"  # inspection exceeds the limits of memory or time
    ACTIVE = "active"  # contains a script, or an action that could do harm
    AMBIGUOUS = "ambiguous"  # readers of a PDF differ in which object, or which value of a doubled name, counts
    EMBEDDED = "embedded"  # contains other files than plain data
    LOCKED = "locked"  # needs a password, or a key
    LARGE = "large"  # a picture that unpacks to too many bytes
    BUSY = "busy"  # not inspected: the server had no time
    TOO_MANY = "too_many"  # not inspected: the account's limit of concurrent inspections is reached


class Flawed(Exception):
    """A file that cannot be accepted; args[0] is the flaw."""
