"""What is wrong with single fields of the forms at the front door (wrong.html shows it beside them)."""

from collections.abc import Iterator
from contextlib import contextmanager

from models.workflow import Refused


class WrongFields(Refused):
    """What is wrong with single fields of a form: name → sentence; str() is all of them."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("".join(fields.values()))
        self.fields = fields


def wrong_fields(refused: Refused | None) -> dict[str, str]:
    """Name → sentence of each field that is wrong by itself."""
    return refused.fields if isinstance(refused, WrongFields) else {}


@contextmanager
def about(field: str) -> Iterator[None]:
    """A refusal inside is about this field: raises WrongFields."""
    try:
        yield
    except Refused as refused:
        raise WrongFields({field: str(refused)}) from None
