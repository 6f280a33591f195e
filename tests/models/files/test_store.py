"""The store, in a folder and in a bucket: files are complete or absent, never changed, renewed when stored again."""

import hashlib
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from click import ClickException

from app import create_app
from models import clock
from models.application.attachments import Store
from tests.conftest import MakePdf
from tests.stores import grow_old

MANY = 20 << 20
YESTERDAY = timedelta(days=1)


@pytest.fixture
def store(address: str) -> Store:
    return Store(address)


def read(store: Store, digest: str) -> bytes:
    with store.open(digest) as content:
        return content.read()


def test_uploads_and_generated_files_are_read_back_byte_for_byte(store: Store, make_pdf: MakePdf) -> None:
    sent, made = make_pdf("合同"), b"not a kind that a person could send"
    stored = store.put(io.BytesIO(sent), "合同.pdf", MANY)
    assert (stored.size, stored.media_type) == (len(sent), "application/pdf")
    assert read(store, stored.digest) == sent
    assert read(store, store.put_bytes(made)) == made
    assert set(store.digests()) == {hashlib.sha256(content).hexdigest() for content in (sent, made)}
    with store.open(stored.digest) as content:
        assert content.seek(5) == 5
        assert content.read(3) == sent[5:8]


def test_storing_the_same_bytes_again_renews_the_one_file(address: str, store: Store, make_pdf: MakePdf) -> None:
    """So a sweep between storing and committing the row does not delete it."""
    first = store.put(io.BytesIO(make_pdf("合同")), "a.pdf", MANY)
    grow_old(address, first.digest)
    assert store.put(io.BytesIO(make_pdf("合同")), "b.pdf", MANY) == first
    assert list(store.digests()) == [first.digest]
    assert not store.remove(first.digest, before=clock.now() - YESTERDAY)
    grow_old(address, first.digest)
    assert store.put_bytes(make_pdf("合同")) == first.digest
    assert not store.remove(first.digest, before=clock.now() - YESTERDAY)
    assert read(store, first.digest) == make_pdf("合同")


def test_a_folder_store_never_overwrites_a_file(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    digest = store.put_bytes(b"once")
    inode = (tmp_path / digest[:2] / digest).stat().st_ino
    store.put_bytes(b"once")
    assert (tmp_path / digest[:2] / digest).stat().st_ino == inode


@pytest.mark.parametrize("damage", [b"oncE", b"", None], ids=["changed", "cut off", "a link"])
def test_storing_the_same_bytes_again_heals_a_damaged_file(tmp_path: Path, damage: bytes | None) -> None:
    """By an upload or a restore. Whoever is reading the file goes on with the old one."""
    store = Store(str(tmp_path))
    digest = store.put_bytes(b"once")
    file = tmp_path / digest[:2] / digest
    if damage is None:
        file.symlink_to(file.rename(file.with_name("elsewhere")))
    else:
        file.write_bytes(damage)
    with file.open("rb") as read_meanwhile:
        assert store.put_copy(io.BytesIO(b"once"), digest)
        assert read_meanwhile.read() == (b"once" if damage is None else damage)
    assert (store.is_intact(digest), file.is_symlink()) == (True, False)
    assert [path.name for path in tmp_path.iterdir()] == [digest[:2]]


def test_only_old_files_are_removed(address: str, store: Store) -> None:
    old, young = store.put_bytes(b"old"), store.put_bytes(b"young")
    grow_old(address, old)
    assert [store.remove(digest, before=clock.now() - YESTERDAY) for digest in (old, young)] == [True, False]
    assert list(store.digests()) == [young]


def test_a_missing_file_raises_file_not_found(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.open("0" * 64)


def test_a_file_not_named_by_a_digest_is_ignored(store: Store) -> None:
    """Backup and sweep ignore it."""
    with store.place.incoming() as file:
        store.place.put(file, "ab/notes.txt")
    assert list(store.digests()) == list(store.digests("ab")) == []


@pytest.mark.slow
def test_the_prefixes_together_list_every_file(store: Store) -> None:
    stored = {store.put_bytes(bytes([number])) for number in range(40)}
    by_prefix = {digest[:2]: set(store.digests(digest[:2])) for digest in stored}
    assert len(by_prefix) > 20
    assert set.union(*by_prefix.values()) == set(store.digests()) == stored
    assert all(digest.startswith(prefix) for prefix, found in by_prefix.items() for digest in found)


def test_two_stores_of_one_bucket_do_not_see_each_other(s3: str) -> None:
    """Even if one prefix begins like the other."""
    Store(f"{s3}/one").put_bytes(b"theirs")
    assert list(Store(f"{s3}/on").digests()) == []


@pytest.mark.parametrize(
    "digest", ["", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63 + "/", "a" * 65, "a" * 64 + "\n"]
)
def test_only_a_digest_is_accepted_as_a_name(store: Store, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.open(digest)


def test_parallel_storing_of_the_same_bytes_succeeds(store: Store) -> None:
    with ThreadPoolExecutor(8) as crowd:
        digests = set(crowd.map(store.put_bytes, [b"the same" * 100_000] * 8))
    assert list(store.digests()) == list(digests)


class PowerCut(BaseException):
    """An exception that no code catches."""


def test_an_interrupted_upload_leaves_nothing(store: Store, make_pdf: MakePdf) -> None:
    class Dying(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise PowerCut
            return super().read(100)

    with pytest.raises(PowerCut):
        store.put(cast(BinaryIO, Dying(make_pdf("合同"))), "合同.pdf", MANY)
    assert list(store.digests()) == []


KEEPING = """
import os, sys
from models.application.attachments import Store
store = Store(sys.argv[1])
while True:
    print(store.put_bytes(os.urandom(1 << 20)), flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_while_storing_leaves_complete_files_only(address: str, store: Store) -> None:
    """Every file reported as stored is there; at most one more, which is complete."""
    with subprocess.Popen([sys.executable, "-c", KEEPING, address], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        reported = {killed.stdout.readline().strip() for _number in range(5)}
        killed.kill()
        reported |= set(killed.stdout.read().split("\n")[:-1])
    stored = set(store.digests())
    assert stored >= reported
    assert len(stored - reported) <= 1
    assert {hashlib.sha256(read(store, digest)).hexdigest() for digest in stored} == stored


@pytest.mark.slow
@pytest.mark.parametrize("address", ["ftp://host/folder", "file:///tmp", "s3://", "s3:///key", "S3://bucket"])
def test_a_malformed_store_address_stops_the_start_with_one_sentence(tmp_path: Path, address: str) -> None:
    settings = {"SECRET_KEY": "x", "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/a.sqlite", "STORE": address}
    with pytest.raises(ClickException) as refused:
        create_app(settings)
    assert refused.value.message == "FILING_STORE 不能使用：请填写一个文件夹，或 s3://存储桶/前缀，再重新启动。"
