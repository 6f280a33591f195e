"""Merkle tree over an append-only list, and inclusion proofs (RFC 6962, section 2.1)."""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY = hashlib.sha256().digest()


def leaf(data: bytes) -> bytes:
    """The hash of one entry, 32 bytes."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The tree of a growing list of leaf hashes; memory: one hash for each level."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, bytes]] = []  # (size of the subtree, its hash), the sizes falling

    def add(self, found: bytes) -> None:
        size, top = 1, found
        while self.waiting and self.waiting[-1][0] == size:
            top, size = node(self.waiting.pop()[1], top), size * 2
        self.waiting.append((size, top))

    def root(self) -> bytes:
        """The root hash of the leaves so far."""
        if not self.waiting:
            return EMPTY
        *others, (_size, top) = self.waiting
        for _size, left in reversed(others):
            top = node(left, top)
        return top


def root(leaves: Iterable[bytes]) -> bytes:
    """The root hash over these leaf hashes."""
    tree = Tree()
    for found in leaves:
        tree.add(found)
    return tree.root()


def roots(leaves: Iterable[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """Size → root hash over the first `size` leaf hashes, for those of `sizes` that the list reaches."""
    tree, wanted = Tree(), set(sizes)
    found = {0: EMPTY}
    for size, leaf_hash in enumerate(leaves, 1):
        tree.add(leaf_hash)
        if size in wanted:
            found[size] = tree.root()
    return found


def _split(size: int) -> int:
    """The size of the left subtree: the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from the leaf at `index` to the root, the leaf's neighbour first."""
    if len(leaves) <= 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*proof(leaves[:middle], index), root(leaves[middle:])]
    return [*proof(leaves[middle:], index - middle), root(leaves[:middle])]


def root_by_proof(found: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes | None:
    """The root computed from the leaf hash `found` at `index` of `size` entries; None for a proof of wrong length."""
    if size <= 1:
        return found if not hashes and 0 <= index < size else None
    if not hashes or not 0 <= index < size:
        return None
    middle, last = _split(size), hashes[-1]
    if index < middle:
        left = root_by_proof(found, index, middle, hashes[:-1])
        return None if left is None else node(left, last)
    right = root_by_proof(found, index - middle, size - middle, hashes[:-1])
    return None if right is None else node(last, right)
