"""Merkle tree over an append-only list, inclusion and consistency proofs (RFC 6962, section 2.1)."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

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


def consistency_proof(root_of: Callable[[int, int], bytes], old: int, size: int) -> list[bytes]:
    """The hashes by which the first `old` of `size` entries are proved to be unchanged; empty for 0 and for `size`.

    `root_of`: the root hash over the leaves from a start to an end.
    """
    return _subproof(root_of, old, 0, size, True) if 0 < old < size else []


def _subproof(root_of: Callable[[int, int], bytes], old: int, start: int, end: int, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 for the leaves from `start` to `end`; `known`: the verifier has the root over all `old`."""
    if old == end:
        return [] if known else [root_of(start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(root_of, old, start, middle, known), root_of(middle, end)]
    return [*_subproof(root_of, old, middle, end, False), root_of(start, middle)]


def is_consistent(old: int, old_root: bytes, size: int, new_root: bytes, hashes: Sequence[bytes]) -> bool:
    """Whether `hashes` prove that the list with `new_root` begins with the list with `old_root`."""
    if old in (0, size):
        return not hashes and (old == 0 or old_root == new_root)
    if not 0 < old < size:
        return False
    path = [old_root, *hashes] if old & (old - 1) == 0 else list(hashes)
    return bool(path) and _climb(old - 1, size - 1, path) == (old_root, new_root)


def _climb(low: int, high: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """(root over the old list, root over the new one), from the path of the last old leaf `low`; None: wrong length."""
    while low & 1:
        low, high = low >> 1, high >> 1
    old_top = new_top = path[0]
    for found in path[1:]:
        if high == 0:
            return None
        if low & 1 or low == high:
            old_top, new_top = node(found, old_top), node(found, new_top)
            while low and not low & 1:
                low, high = low >> 1, high >> 1
        else:
            new_top = node(new_top, found)
        low, high = low >> 1, high >> 1
    return (old_top, new_top) if high == 0 else None
