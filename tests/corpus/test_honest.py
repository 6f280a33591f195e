"""Harmless files by the programs that made them: each is accepted, or a table has the reason why not."""

import io
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from flask import Flask

from models.files.flaws import Flaw, Flawed
from models.files.inspection import inspect_file
from tests.browsing import ClientAs
from tests.cast import make_papers
from tests.conftest import MakeApplication, StoredRows
from tests.corpus.libraries import LIBRARIES
from tests.corpus.pictures import PICTURES
from tests.corpus.programs import PROGRAMS
from tests.corpus.rebuilt import REBUILT
from tests.corpus.samples import samples

pytestmark = pytest.mark.filterwarnings("ignore")  # of the programs that make the files

PICTURE_ENDINGS = (".png", ".apng", ".jpg", ".jpeg", ".tif", ".tiff", ".mpo")
# Samples that have a flaw, by their names.
FLAWED: dict[Flaw, set[str]] = {
    Flaw.LOCKED: {  # they open with a password only
        "crazyones-encrypted-256.pdf", "encrypted-file.pdf", "r2-user-password.pdf", "r3-user-password.pdf",
        "r4-aes-user-password.pdf", "r4-user-password.pdf", "r6-both-passwords.pdf", "r6-cleartext-metadata.pdf",
        "libreoffice-writer-password.pdf",
    },
    Flaw.ACTIVE: {"SF424_page2.pdf", "issue-297.pdf", "pdflatex-forms.pdf"},  # Launch, JavaScript, SubmitForm
    Flaw.EMBEDDED: {"attachment.pdf", "example.pdf"},  # a PDF and a PNG inside
    Flaw.CUT: {"invalid.pdf", "broken.png", "truncated_image.png", "ultrahdr.jpg"},
    Flaw.BROKEN: {
        "broken_data_stream.png", "unknown_compression_method.png", "png_decompression_dos.png",
        "chunk_no_fctl.png", "syntax_num_frames_zero.png",  # moving pictures without a picture
        "multipage_multiple_frame_loop.tiff", "multipage_single_frame_loop.tiff",  # pages in a circle
    },
    Flaw.LARGE: {"libtiff_segfault.tif", "oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif"},  # by what they claim
    Flaw.KIND: {"hopper_bigtiff.tif", "seek_too_large.tif"},  # BigTIFF, which common viewers do not show
}  # fmt: skip
REASONS = {name: flaw for flaw, names in FLAWED.items() for name in names}


def verdicts(files: Iterable[tuple[str, bytes]], folder: Path) -> dict[str, tuple[str, str]]:
    """By name: the expected verdict, and that of the worker process."""
    results = {}
    for name, content in files:
        path = folder / "file"
        path.write_bytes(content)
        try:
            verdict = inspect_file(path)
        except Flawed as flawed:
            verdict = str(flawed.args[0])
        expected = REASONS.get(name.rpartition("/")[2], "accepted")
        results[name] = expected, "accepted" if "/" in verdict else verdict
    return results


def made_by(makers: Iterable[Callable[[], Iterable[tuple[str, bytes]]]]) -> Iterable[tuple[str, bytes]]:
    return ((f"{maker.__name__}: {name}", content) for maker in makers for name, content in maker())


def test_every_honest_pdf_is_accepted(tmp_path: Path) -> None:
    """OU2: by 17 programs, with the options their users choose, and the samples of two libraries."""
    met = itertools.chain(samples("pypdf-7.1.1", (".pdf",)), samples("ocrmypdf-17.13.0", (".pdf",)))
    results = verdicts(itertools.chain(made_by(LIBRARIES + PROGRAMS + REBUILT), met), tmp_path)
    assert len(results) >= 400
    assert {name: verdict for name, verdict in results.items() if len(set(verdict)) > 1} == {}


def test_every_honest_picture_is_accepted(tmp_path: Path) -> None:
    """OU2: by phones, scanners, fax and drawing software, and the samples of Pillow."""
    met = samples("pillow-13.0.0", PICTURE_ENDINGS)
    results = verdicts(itertools.chain(made_by(PICTURES), met), tmp_path)
    assert len(results) >= 750
    assert {name: verdict for name, verdict in results.items() if len(set(verdict)) > 1} == {}


def test_a_file_of_every_program_can_be_uploaded_and_viewed(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """OU2: through the form; the download is the same file, with the media type of its content."""
    app.config.update(ATTACHMENTS_PER_KIND=1000, ATTACHMENTS_IN_ALL=1000, ATTACHMENTS_EVER=5000)
    key, browser = make_application(), client_as("publisher")
    for maker in LIBRARIES + PROGRAMS + REBUILT + PICTURES:
        name, content = next(iter(maker()))
        sent = {"id": key, "kind": "other", "file": (io.BytesIO(content), f"{maker.__name__}.exe")}
        answer = browser.post("/applications/upload/", data=sent, headers={"X-Requested-With": "XMLHttpRequest"})
        assert (answer.status_code, maker.__name__, name) == (200, maker.__name__, name), answer.text
        file = stored_rows(key)["attachment"][-1]
        viewed = browser.get(f"/applications/attachment/?id={file['id']}")
        assert viewed.data == content
        assert viewed.mimetype == file["media_type"]
        assert viewed.headers["X-Content-Type-Options"] == "nosniff"
        assert file["name"].endswith((".exe.pdf", ".exe.jpg", ".exe.png", ".exe.tif"))


def test_an_issued_certificate_can_be_uploaded_as_an_attachment(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """It carries its content as JSON, a signature and PDF/A-3; a publisher sends it with the next application."""
    granted, key = make_application(status="pending"), make_application()
    client_as("reviewer").post("/review/grant/", data={"id": granted})
    make_papers(app)
    certificate = client_as("publisher").get(f"/applications/certificate/?id={granted}").data
    assert b"/EmbeddedFile" in certificate and b"/ByteRange" in certificate
    sent = {"id": key, "kind": "other", "file": (io.BytesIO(certificate), "证明.pdf")}
    answer = client_as("publisher").post(
        "/applications/upload/", data=sent, headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert answer.status_code == 200, answer.text
