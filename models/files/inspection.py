"""What a file is, told by its content, and whether it is whole and harmless: parsed in a worker process with limits."""

from pathlib import Path

import filetype

from models.files.flaws import Flaw, Flawed
from models.files.pdf_check import BEGIN, check_pdf, limit_memory
from models.files.pictures import allow_large, check_picture
from models.files.worker import Busy, TooMany, Unfinished, WorkerProcess, WorkerTask

PDF = "application/pdf"
PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/apng": "PNG", "image/tiff": "TIFF"}
MEMORY, CPU = 1 << 30, 15  # bytes, and seconds of processor time for one file
LONGEST = 60  # seconds that a person waits for their turn, and again for the answer
EACH = 2  # files of one owner that a process inspects or has waiting; ours


def inspected(path: Path, owner: int | None = None) -> str:
    """The media type of a file by its content; raises Flawed. `owner`: the account that sent it; owners take turns."""
    try:
        told = str(INSPECTION.done(path, owner))
    except TooMany:
        raise Flawed(Flaw.TOO_MANY) from None
    except Busy:
        raise Flawed(Flaw.BUSY) from None
    except Unfinished:  # it took more memory or time than any honest file
        raise Flawed(Flaw.COMPLEX) from None
    if told in set(Flaw):
        raise Flawed(Flaw(told))
    return told


def look(path: Path) -> str:
    """The media type, or the flaw; in this very process."""
    try:
        return _kind(path)
    except Flawed as flawed:
        return str(flawed.args[0])
    except MemoryError:
        return Flaw.COMPLEX
    except Exception:  # a parser met nonsense: whatever it raised, the file cannot be read
        return Flaw.BROKEN


def start_up() -> None:
    """What holds for the whole process."""
    limit_memory()
    allow_large()


INSPECTION = WorkerProcess(WorkerTask(look, start_up, memory=MEMORY, cpu=CPU), LONGEST, LONGEST, EACH)


def _kind(path: Path) -> str:
    """Raises Flawed; a file that is an archive too is of no accepted kind."""
    with path.open("rb") as file:
        head = file.read(8192)  # as much as filetype looks at
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
