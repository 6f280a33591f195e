"""Every script module has its test in the browser (tests/browser/modules.py)."""

import ast
from pathlib import Path

import pytest

from tests import ROOT
from tests.browser.modules import STATIC, TESTS


def test_every_script_module_is_named_with_its_test() -> None:
    assert {path.relative_to(ROOT / STATIC).as_posix() for path in (ROOT / STATIC).glob("**/*.js")} == TESTS.keys()


@pytest.mark.parametrize("test", sorted(set(TESTS.values())))
def test_the_named_test_exists(test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
