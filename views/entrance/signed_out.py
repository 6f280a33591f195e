"""Errors 401 with a reason: another account, or a session that was ended."""

from werkzeug.exceptions import Unauthorized


class OtherAccount(Unauthorized):
    """The page was rendered for another account than the one signed in now."""


class SignedOut(Unauthorized):
    """The session has ended; `words`: why, or None for a timeout."""

    def __init__(self, words: str | None) -> None:
        super().__init__()
        self.words = words
