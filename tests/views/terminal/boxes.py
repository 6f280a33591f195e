"""Boxes of the folder transport."""

from models.exchange.transports.folders import FolderPair


def names(pair: FolderPair, box: str) -> list[str]:
    """The names of the files in a box."""
    return sorted(file.name for file in (pair.folder / box).iterdir())
