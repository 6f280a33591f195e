"""The hash tree, by the vectors that programs for certificate transparency are tried with."""

import pytest

from models.checkpoint import merkle

ENTRIES = [bytes.fromhex(entry) for entry in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
LEAVES = [merkle.leaf(entry) for entry in ENTRIES]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_the_root_hash_matches_rfc_6962(size: int) -> None:
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), [(index, size) for size in range(1, 9) for index in range(size)])
def test_an_inclusion_proof_is_valid_at_its_own_index_only(index: int, size: int) -> None:
    leaves, root = LEAVES[:size], bytes.fromhex(ROOTS[size])
    hashes = merkle.proof(leaves, index)
    assert merkle.root_by_proof(leaves[index], index, size, hashes) == root
    wrong = [(LEAVES[index - 1], index, size, hashes), (leaves[index], index, size, [*hashes, root])]
    wrong += [(leaves[index], other, size, hashes) for other in range(-1, size + 2) if other != index]
    wrong += [(leaves[index], index, size, hashes[:-1])] if hashes else []
    assert [each for each in wrong if merkle.root_by_proof(*each) == root] == []
