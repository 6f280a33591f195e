"""The hash tree over a list that only grows, and the proof that something stands in it (RFC 6962, section 2.1)."""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY = hashlib.sha256().digest()


def leaf(data: bytes) -> bytes:
    """The hash of one entry, 32 bytes."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The hash of the tree over these leaf hashes; holds one hash for each level."""
    waiting: list[tuple[int, bytes]] = []  # (size of the subtree, its hash), the sizes falling
    for found in leaves:
        size, top = 1, found
        while waiting and waiting[-1][0] == size:
            top, size = node(waiting.pop()[1], top), size * 2
        waiting.append((size, top))
    if not waiting:
        return EMPTY
    top = waiting.pop()[1]
    while waiting:
        top = node(waiting.pop()[1], top)
    return top


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
    """The root that the leaf hash `found` at `index` of `size` entries leads to; None for a proof of another length."""
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
