"""A missing row about which there is more to say than 404."""

from werkzeug.exceptions import NotFound


class Missing(NotFound):
    """`words`: what happened, and what to do next; `listed`: address of the list in which to look for the row.

    No link leads back, for the page before is about the same row.
    """

    def __init__(self, words: str, listed: str) -> None:
        super().__init__()
        self.words, self.listed = words, listed
