"""Checks a file by its content: accepted kind, complete, harmless. Parsed in a worker process with limits.

The parsers are imported there alone.
"""

from pathlib import Path

from models.files.flaws import Flaw, Flawed
from models.files.slots import MachineSlots
from models.files.worker import Busy, TooMany, Unfinished, WorkerProcess, WorkerTask

PDF = "application/pdf"
PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/apng": "PNG", "image/tiff": "TIFF"}
MEMORY, CPU = 1 << 30, 15  # bytes, and seconds of processor time for one file
LONGEST = 60  # seconds to wait for the turn, and again for the result
EACH = 2  # files of one owner inspected or waiting in a process (our choice)


def limit_inspections(folder: Path, count: int) -> None:
    """From now on inspect at most `count` files at a time in all processes that share this folder."""
    INSPECTION.slots = MachineSlots(folder, count)


def inspect_file(path: Path, owner: int | None = None) -> str:
    """The media type of a file by its content; raises Flawed. `owner`: the account that sent it; owners take turns."""
    try:
        result = str(INSPECTION.run(path, owner))
    except TooMany:
        raise Flawed(Flaw.TOO_MANY) from None
    except Busy:
        raise Flawed(Flaw.BUSY) from None
    except Unfinished:  # exceeded the limits of memory or time
        raise Flawed(Flaw.COMPLEX) from None
    if result in set(Flaw):
        raise Flawed(Flaw(result))
    return result


def media_type_or_flaw(path: Path) -> str:
    """The media type, or the Flaw as a word; parses in the calling process."""
    try:
        return _kind(path)
    except Flawed as flawed:
        return str(flawed.args[0])
    except MemoryError:
        return Flaw.COMPLEX
    except Exception:  # parsers raise errors of every kind on malformed files
        return Flaw.BROKEN


def start_up() -> None:
    """Set the limits of the libraries in the worker process."""
    from models.files.pdf_check import limit_memory
    from models.files.pictures import allow_large

    limit_memory()
    allow_large()


INSPECTION = WorkerProcess(WorkerTask(media_type_or_flaw, start_up, memory=MEMORY, cpu=CPU), LONGEST, LONGEST, EACH)


def _kind(path: Path) -> str:
    """The media type; raises Flawed. A file that is also a ZIP archive is of no accepted kind."""
    import filetype

    from models.files.pdf_check import BEGIN, check_pdf
    from models.files.pictures import check_picture

    with path.open("rb") as file:
        head = file.read(8192)  # as much as filetype examines
        file.seek(max(path.stat().st_size - 66_000, 0))
        archive = b"PK\x05\x06" in file.read()
    if not head:
        raise Flawed(Flaw.EMPTY)
    guess = PDF if BEGIN.match(head) else filetype.guess_mime(head) or ""
    if archive or (guess != PDF and guess not in PICTURES):
        raise Flawed(Flaw.KIND)
    if guess == PDF:
        check_pdf(path)
        return PDF
    check_picture(path, PICTURES[guess])
    return guess.replace("apng", "png")
