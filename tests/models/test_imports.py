"""Any module of models can be imported first: none configures the mappers while others are still to be imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import importlib, sys, traceback
from sqlalchemy import event
from sqlalchemy.orm import Mapper

def name_the_module():
    print([frame.filename for frame in traceback.extract_stack() if frame.filename.startswith(sys.argv[1])][-1])

event.listen(Mapper, "before_configured", name_the_module)
for module in sys.argv[2:]:
    importlib.import_module(module)
"""


def test_no_module_configures_the_mappers_while_it_is_imported() -> None:
    """Relationships name classes of other modules, which may not be there yet. models/access/reading.py imports all."""
    paths = [path.relative_to(ROOT) for path in (ROOT / "models").rglob("*.py") if "migrations" not in path.parts]
    modules = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in sorted(paths)]
    program = [sys.executable, "-c", PROGRAM, str(ROOT / "models"), *modules]
    result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    assert set(result.stdout.split()) == {str(ROOT / "models" / "access" / "reading.py")}
