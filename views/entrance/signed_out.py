"""Why somebody has to sign in (again): errors 401 that know more than that nobody is signed in."""

from werkzeug.exceptions import Unauthorized


class OtherAccount(Unauthorized):
    """The page was rendered for another account than the one signed in now."""


class SignedOut(Unauthorized):
    """Nobody is signed in any more; `words` say why, where more is known than that time has run out."""

    def __init__(self, words: str | None) -> None:
        super().__init__()
        self.words = words
