"""Consistency proofs: of every two sizes up to 40, and by the examples of RFC 6962, section 2.1.3."""

import pytest

from models.checkpoint import merkle
from tests.models.checkpoint.test_merkle import LEAVES, ROOTS

MANY = [merkle.leaf(str(number).encode()) for number in range(40)]


def proof(leaves: list[bytes], old: int) -> list[bytes]:
    return merkle.consistency_proof(lambda start, end: merkle.root(leaves[start:end]), old, len(leaves))


@pytest.mark.parametrize("size", range(1, 41))
def test_a_list_is_proved_to_continue_each_of_its_beginnings(size: int) -> None:
    leaves = MANY[:size]
    for old in range(size + 1):
        hashes = proof(leaves, old)
        assert merkle.is_consistent(old, merkle.root(MANY[:old]), size, merkle.root(leaves), hashes), old


@pytest.mark.parametrize("size", range(2, 41))
def test_nothing_else_is_proved(size: int) -> None:
    """Neither another beginning, nor another list, nor by a hash more or less, nor for another size."""
    leaves, root = MANY[:size], merkle.root(MANY[:size])
    for old in range(1, size):
        hashes, old_root = proof(leaves, old), merkle.root(MANY[:old])
        other = merkle.root([*MANY[: old - 1], merkle.leaf(b"x")])
        wrong = [
            (old, other, size, root, hashes),
            (old, old_root, size, merkle.root([*leaves[:-1], merkle.leaf(b"x")]), hashes),
            (old, old_root, size, root, [*hashes, root]),
            (old, old_root, size, root, hashes[:-1]),
            (size, old_root, old, root, hashes),
            (size, old_root, size, root, []),
        ]
        assert [each for each in wrong if merkle.is_consistent(*each)] == [], old


@pytest.mark.parametrize(("old", "count"), [(1, 3), (2, 2), (4, 1), (6, 3)])
def test_the_examples_of_the_published_vectors(old: int, count: int) -> None:
    """Between the published roots of the eight entries, with as many hashes as the tree has steps."""
    hashes = proof(LEAVES, old)
    assert len(hashes) == count
    assert merkle.is_consistent(old, bytes.fromhex(ROOTS[old]), 8, bytes.fromhex(ROOTS[8]), hashes)
