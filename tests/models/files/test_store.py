"""The store of bytes, in a folder and in a bucket: whole or not at all, never changed, young when kept again."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from click import ClickException

from app import create_app
from models import clock
from models.application.attachments import Store
from tests.stores import grow_old

Paper = Callable[[str], bytes]
MANY = 20 << 20
YESTERDAY = timedelta(days=1)


@pytest.fixture
def store(address: str) -> Store:
    return Store(address)


def read(store: Store, digest: str) -> bytes:
    with store.open(digest) as content:
        return content.read()


def test_what_a_person_sends_and_what_we_make_come_back_byte_for_byte(store: Store, a_pdf: Paper) -> None:
    sent, made = a_pdf("合同"), b"not a kind that a person could send"
    stored = store.put(io.BytesIO(sent), "合同.pdf", MANY)
    assert (stored.size, stored.media_type) == (len(sent), "application/pdf")
    assert read(store, stored.digest) == sent
    assert read(store, store.keep(made)) == made
    assert set(store.kept()) == {hashlib.sha256(content).hexdigest() for content in (sent, made)}
    with store.open(stored.digest) as content:
        assert content.seek(5) == 5
        assert content.read(3) == sent[5:8]


def test_the_same_bytes_again_are_one_file_made_young(address: str, store: Store, a_pdf: Paper) -> None:
    """A sweep that comes between the bytes and their row leaves them."""
    first = store.put(io.BytesIO(a_pdf("合同")), "a.pdf", MANY)
    grow_old(address, first.digest)
    assert store.put(io.BytesIO(a_pdf("合同")), "b.pdf", MANY) == first
    assert list(store.kept()) == [first.digest]
    assert not store.remove(first.digest, before=clock.now() - YESTERDAY)
    grow_old(address, first.digest)
    assert store.keep(a_pdf("合同")) == first.digest
    assert not store.remove(first.digest, before=clock.now() - YESTERDAY)
    assert read(store, first.digest) == a_pdf("合同")


def test_in_a_folder_nothing_is_ever_written_over(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    digest = store.keep(b"once")
    inode = (tmp_path / digest[:2] / digest).stat().st_ino
    store.keep(b"once")
    assert (tmp_path / digest[:2] / digest).stat().st_ino == inode


def test_only_what_is_old_is_removed(address: str, store: Store) -> None:
    old, young = store.keep(b"old"), store.keep(b"young")
    grow_old(address, old)
    assert [store.remove(digest, before=clock.now() - YESTERDAY) for digest in (old, young)] == [True, False]
    assert list(store.kept()) == [young]


def test_bytes_that_are_not_there_are_told_as_such(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.open("0" * 64)


def test_what_somebody_else_has_put_there_is_not_ours(store: Store) -> None:
    """Neither backed up nor swept."""
    with store.place.incoming() as file:
        store.place.take(file, "ab/notes.txt")
    assert list(store.kept()) == list(store.kept("ab")) == []


def test_shelf_by_shelf_is_all_there_is(store: Store) -> None:
    kept = {store.keep(bytes([number])) for number in range(40)}
    shelves = {digest[:2]: set(store.kept(digest[:2])) for digest in kept}
    assert len(shelves) > 20
    assert set.union(*shelves.values()) == set(store.kept()) == kept
    assert all(digest.startswith(shelf) for shelf, found in shelves.items() for digest in found)


def test_two_stores_of_one_bucket_do_not_see_each_other(s3: str) -> None:
    """One prefix may even begin like the other."""
    Store(f"{s3}/one").keep(b"theirs")
    assert list(Store(f"{s3}/on").kept()) == []


@pytest.mark.parametrize(
    "digest", ["", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63 + "/", "a" * 65, "a" * 64 + "\n"]
)
def test_only_a_digest_names_bytes(store: Store, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.open(digest)


def test_many_who_keep_the_same_bytes_at_once_all_succeed(store: Store) -> None:
    with ThreadPoolExecutor(8) as crowd:
        digests = set(crowd.map(store.keep, [b"the same" * 100_000] * 8))
    assert list(store.kept()) == list(digests)


class PowerCut(BaseException):
    """Nobody catches this."""


def test_an_upload_that_dies_half_way_leaves_nothing(store: Store, a_pdf: Paper) -> None:
    class Dying(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise PowerCut
            return super().read(100)

    with pytest.raises(PowerCut):
        store.put(cast(BinaryIO, Dying(a_pdf("合同"))), "合同.pdf", MANY)
    assert list(store.kept()) == []


KEEPING = """
import os, sys
from models.application.attachments import Store
store = Store(sys.argv[1])
while True:
    print(store.keep(os.urandom(1 << 20)), flush=True)
"""


def test_whoever_is_killed_while_keeping_leaves_whole_bytes_or_none(address: str, store: Store) -> None:
    """What was told as kept is there; what was not told is there whole, or not there at all."""
    with subprocess.Popen([sys.executable, "-c", KEEPING, address], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        told = {killed.stdout.readline().strip() for _number in range(5)}
        killed.kill()
        told |= set(killed.stdout.read().split("\n")[:-1])
    kept = set(store.kept())
    assert kept >= told
    assert len(kept - told) <= 1
    assert {hashlib.sha256(read(store, digest)).hexdigest() for digest in kept} == kept


@pytest.mark.parametrize("address", ["ftp://host/folder", "file:///tmp", "s3://", "s3:///key", "S3://bucket"])
def test_a_start_with_an_address_that_is_no_store_says_so_in_one_sentence(tmp_path: Path, address: str) -> None:
    settings = {"SECRET_KEY": "x", "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/a.sqlite", "STORE": address}
    with pytest.raises(ClickException) as refused:
        create_app(settings)
    assert refused.value.message == "FILING_STORE 不能使用：请填写一个文件夹，或 s3://存储桶/前缀，再重新启动。"
