"""Sample files from the sources of published packages, fetched by `make test` (samples.txt)."""

import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FETCHED = Path(sys.prefix) / "samples"


def samples(package: str, endings: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in the source of a package (name-version) that ends so."""
    archive = FETCHED / f"{package}.tar.gz"
    if not archive.exists() and not os.environ.get("CI"):
        pytest.skip(f"{archive.name} is not there: `make test` fetches it")
    with tarfile.open(archive) as source:
        for member in source:
            if member.isfile() and member.name.lower().endswith(endings):
                file = source.extractfile(member)
                assert file is not None
                yield member.name.partition("/")[2], file.read()
