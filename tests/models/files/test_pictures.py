"""Pictures: complete ones are accepted, cut ones reported as cut."""

import io
import struct
import zlib

import pytest
from PIL import Image

from models.files.flaws import Flaw
from tests.corpus.libraries import encoded, painted
from tests.models.conftest import Verdict

WHOLE = {
    "JPEG": encoded("JPEG"),
    "grey JPEG": encoded("JPEG", painted("L")),
    "JPEG of a printer": encoded("JPEG", painted("CMYK")),
    "progressive JPEG": encoded("JPEG", progressive=True),
    "PNG": encoded("PNG"),
    "black and white PNG": encoded("PNG", painted("1")),
    "TIFF": encoded("TIFF"),
    "fax": encoded("TIFF", painted("1"), compression="group4"),
    "pages of a fax": encoded("TIFF", painted("1"), save_all=True, append_images=[painted("1")], compression="group3"),
    "PDF": encoded("PDF"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("part", [0.1, 0.3, 0.6, 0.9, 0.97])
def test_a_truncated_picture_is_reported_as_truncated(verdict: Verdict, name: str, part: float) -> None:
    """FU2: cut at any byte."""
    whole = WHOLE[name]
    assert "/" in verdict(whole)
    assert verdict(whole[: int(len(whole) * part)]) == Flaw.CUT


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WHOLE if "JPEG" in name or "PNG" in name])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_zeros_in_place_of_missing_data_do_not_make_it_complete(verdict: Verdict, name: str, part: float) -> None:
    """As left by an interrupted download into a preallocated file."""
    whole = WHOLE[name]
    received = int(len(whole) * part)
    assert verdict(whole[:received] + bytes(len(whole) - received)) in (Flaw.CUT, Flaw.BROKEN)


def test_a_file_without_picture_data_is_broken(verdict: Verdict) -> None:
    for name in ("PNG", "TIFF", "JPEG"):
        whole = WHOLE[name]
        assert verdict(whole[:16] + bytes(range(256)) * 8) in (Flaw.BROKEN, Flaw.CUT, Flaw.LARGE)


@pytest.mark.slow
def test_a_large_scan_is_judged_by_its_bytes(verdict: Verdict) -> None:
    """In memory a black and white pixel takes an eighth (TIFF) or a quarter (PNG) of a coloured one."""
    scan = Image.new("1", (14043, 19866), 1)  # A1 at 600 dpi
    assert verdict(encoded("TIFF", scan, compression="group4")) == "image/tiff"
    assert verdict(encoded("PNG", scan)) == "image/png"
    out = io.BytesIO()
    Image.new("RGB", (14043, 19866)).save(out, "PNG", compress_level=1)
    assert verdict(out.getvalue()) == Flaw.LARGE


def test_a_cycle_of_tiff_pages_terminates(verdict: Verdict) -> None:
    content = bytearray(encoded("TIFF"))
    at = int.from_bytes(content[4:8], "little")
    end = at + 2 + 12 * int.from_bytes(content[at : at + 2], "little")
    content[end : end + 4] = content[4:8]
    assert verdict(bytes(content)) == Flaw.BROKEN


def test_a_picture_without_width_or_with_impossible_frames_is_refused(verdict: Verdict) -> None:
    entries = [(256, 4, 1, 0), (257, 4, 1, 0), (273, 4, 1, 8), (279, 4, 1, 8)]
    tiff = b"II*\0\x08\0\0\0\4\0" + b"".join(struct.pack("<HHII", *each) for each in entries) + bytes(4)
    assert verdict(tiff) == Flaw.BROKEN
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    chunk = b"acTL" + struct.pack(">II", 2**31 - 1, 0)
    moving = struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert verdict(out.getvalue()[:33] + moving + out.getvalue()[33:]) == Flaw.BROKEN
