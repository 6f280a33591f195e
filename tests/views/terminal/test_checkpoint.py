"""Checkpoints of the trail: a later rewrite is found and located, even with every hash recomputed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import access
from models.application import Application
from models.application.trail import GENESIS, TrailEntry
from models.checkpoint.folder import WIDTH
from models.vocabulary import Action
from tests.apps import without_triggers
from tests.cast import perform_step
from tests.conftest import MakeApplication
from tests.views.conftest import Invoke

Change = Callable[[Session, list[int]], object]


def reseal(session: Session) -> None:
    """Rewrite every hash of every trail, as the owner of the database can."""
    for key in session.scalars(select(Application.id)).all():
        previous = GENESIS
        for entry in session.scalars(
            select(TrailEntry).where(TrailEntry.application_id == key).order_by(TrailEntry.id)
        ).all():
            session.execute(
                text("UPDATE trail_entry SET previous = :previous WHERE id = :id"),
                {"previous": previous, "id": entry.id},
            )
            session.refresh(entry)
            previous = entry.sealed()
            session.execute(
                text("UPDATE trail_entry SET seal = :seal WHERE id = :id"), {"seal": previous, "id": entry.id}
            )
        session.execute(text("UPDATE application SET last_seal = :seal WHERE id = :id"), {"seal": previous, "id": key})


def rewrite(app: Flask, change: Change) -> list[int]:
    """Change the trail without triggers, and reseal it; the ids of all entries before that."""
    with app.app_context(), access.everything() as session:
        ids = list(session.scalars(select(TrailEntry.id).order_by(TrailEntry.id)))
        with without_triggers(session.connection()):
            change(session, ids)
            session.expire_all()
            reseal(session)
        session.commit()
    return ids


def set_opinion(session: Session, key: int) -> None:
    session.execute(text("UPDATE trail_entry SET opinion = '改' WHERE id = :id"), {"id": key})


def remove(session: Session, *keys: int) -> None:
    for key in keys:
        session.execute(text("DELETE FROM trail_entry WHERE id = :id"), {"id": key})


def swap(session: Session, one: int, two: int) -> None:
    for old, new in ((one, -1), (two, one), (-1, two)):
        session.execute(text("UPDATE trail_entry SET id = :new WHERE id = :old"), {"new": new, "old": old})


def copy(session: Session, entry: int, key: int | None = None, seal: str = "x") -> None:
    """Insert a copy of an entry under a free id; None: the next one."""
    same = "at, actor_id, actor_name, role, act, before, after, opinion, changes, digest, previous, application_id"
    own, value = ("id, ", f"{key}, ") if key else ("", "")
    rows = f"SELECT {value}:seal, {same} FROM trail_entry WHERE id = :id"
    session.execute(text(f"INSERT INTO trail_entry ({own}seal, {same}) {rows}"), {"id": entry, "seal": seal})


def put_in(session: Session, after: int) -> None:
    """An entry between two others."""
    session.execute(text("UPDATE trail_entry SET id = id + 1000 WHERE id > :id"), {"id": after})
    copy(session, after, after + 1)


CHANGES: dict[str, tuple[Change, str]] = {
    "the first is edited": (lambda session, ids: set_opinion(session, ids[0]), "从第 1 条起"),
    "one is edited": (lambda session, ids: set_opinion(session, ids[4]), "从第 5 条起"),
    "one is removed": (lambda session, ids: remove(session, ids[3]), "从第 4 条起"),
    "one is put in": (lambda session, ids: put_in(session, ids[3]), "从第 5 条起"),
    "two change places": (lambda session, ids: swap(session, ids[2], ids[4]), "从第 3 条起"),
    "the last are removed": (lambda session, ids: remove(session, *ids[-2:]), "现在最后 2 条已不在"),
    "all are removed": (lambda session, ids: remove(session, *ids), "现在最后"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_rewrite_after_a_checkpoint_is_found_and_named(
    app: Flask, make_application: MakeApplication, sign: Callable[[], Result], verify: Callable[..., Result],
    log: tuple[Path, Path, str], name: str,
) -> None:  # fmt: skip
    """With every seal recomputed; by the checkpoint alone too, though not where; and no new one is signed."""
    make_application(status="pending", carriers=2)
    change, sentence = CHANGES[name]
    assert sign().exit_code == 0
    assert verify().exit_code == 0
    rewrite(app, change)
    found = verify()
    assert (found.exit_code, sentence in found.output) == (1, True), found.output
    alone = verify(log[0] / "trail" / "checkpoint")
    assert (alone.exit_code, "与检查点不符；用检查点文件夹核对可知是哪一条" in alone.output) == (1, True)
    refused = sign()
    assert (refused.exit_code, "没有签署新的检查点" in refused.output) == (1, True)


def test_checkpoints_stay_valid_while_work_continues(
    app: Flask, make_application: MakeApplication, sign: Callable[[], Result], verify: Callable[..., Result],
    log: tuple[Path, Path, str],
) -> None:  # fmt: skip
    key = make_application(status="pending")
    sizes = []
    for _day in range(3):
        sizes.append(int(sign().output.split(" ")[1]))
        if len(sizes) == 1:
            perform_step(app, Action.GRANT, key, "reviewer")
        make_application()
    assert sizes == sorted(set(sizes))
    checkpoints = sorted((log[0] / "trail" / "checkpoints").iterdir(), key=lambda path: int(path.name))
    assert [int(path.name) for path in checkpoints] == sizes
    for path in (log[0], *checkpoints):
        assert verify(path).exit_code == 0, path


def test_entries_beyond_a_tile_are_stored_in_immutable_tiles(
    app: Flask, make_application: MakeApplication, sign: Callable[[], Result], verify: Callable[..., Result],
    log: tuple[Path, Path, str],
) -> None:  # fmt: skip
    """The first tile is full; its bytes stay unchanged when the second grows."""
    key = make_application()

    def many(session: Session, ids: list[int]) -> None:
        for number in range(WIDTH):
            copy(session, ids[0], seal=str(number))

    rewrite(app, many)
    assert sign().exit_code == 0
    first = log[0] / "trail" / "tile" / "0" / "000"
    before = first.read_bytes()
    assert len(before) == WIDTH * 32
    perform_step(app, Action.SUBMIT, key, "publisher")
    assert sign().exit_code == 0
    assert first.read_bytes() == before
    assert (log[0] / "trail" / "tile" / "0" / "001.p").is_dir()
    assert "从第" not in verify().output
    with app.app_context(), access.everything() as session:
        ids = list(session.scalars(select(TrailEntry.id).order_by(TrailEntry.id)))
    rewrite(app, lambda session, _ids: set_opinion(session, ids[WIDTH]))
    assert f"从第 {WIDTH + 1} 条起" in verify().output


def test_a_changed_or_lost_folder_is_distinguished_from_a_changed_trail(
    make_application: MakeApplication,
    sign: Callable[[], Result],
    verify: Callable[..., Result],
    log: tuple[Path, Path, str],
) -> None:
    make_application(status="pending")
    sign()
    (tile,) = (log[0] / "trail" / "tile" / "0" / "000.p").iterdir()
    content = tile.read_bytes()
    for wrong, sentence in ((bytes(len(content)), "摘要与签署的检查点不符"), (b"", "检查点文件夹不完整")):
        tile.write_bytes(wrong)
        assert sentence in verify().output
    assert verify(log[0] / "trail" / "checkpoint").exit_code == 0


def test_files_of_an_interrupted_run_are_rewritten(
    make_application: MakeApplication,
    sign: Callable[[], Result],
    verify: Callable[..., Result],
    invoke: Invoke,
    log: tuple[Path, Path, str],
) -> None:
    """Tiles are written before the checkpoint that needs them, which alone makes them count."""
    make_application(status="pending")
    assert sign().exit_code == 0
    (tile,) = (log[0] / "trail" / "tile" / "0" / "000.p").iterdir()
    (log[0] / "trail" / "checkpoint").unlink()
    tile.write_bytes(bytes(tile.stat().st_size))
    again = invoke("trail", "checkpoint", str(log[0]), "--key-file", str(log[1]), "--first")
    assert again.exit_code == 0
    assert verify().exit_code == 0


@pytest.mark.parametrize("name", ["a b", "a+b", "江苏 trail", "a\u3000b"])
def test_an_invalid_key_name_is_refused(invoke: Invoke, tmp_path: Path, name: str) -> None:
    for words in (("new-key", str(tmp_path / "new.pem")), ("checkpoint", str(tmp_path), "--key-file", __file__)):
        refused = invoke("trail", *words, "--name", name)
        assert refused.exit_code == 1
    assert not (tmp_path / "new.pem").exists()
