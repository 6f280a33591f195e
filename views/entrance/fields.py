"""Errors of single fields of the public forms; wrong.html shows them beside the fields."""

from collections.abc import Iterator
from contextlib import contextmanager

from models.language import in_sentences
from models.workflow import Refused


class WrongFields(Refused):
    """Errors of single fields: `fields` is name → sentence; str() joins all sentences."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(in_sentences(fields.values()))
        self.fields = fields


def wrong_fields(refused: Refused | None) -> dict[str, str]:
    """Field name → sentence; empty for a refusal that is not about single fields."""
    return refused.fields if isinstance(refused, WrongFields) else {}


@contextmanager
def about(field: str) -> Iterator[None]:
    """Turn a Refused inside the block into WrongFields for this field."""
    try:
        yield
    except Refused as refused:
        raise WrongFields({field: str(refused)}) from None
