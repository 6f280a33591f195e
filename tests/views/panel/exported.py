"""The rows of an export."""

import csv
import io

from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from werkzeug.test import TestResponse


def rows_of(answer: TestResponse, kind: str) -> list[list[str]]:
    """The rows of an exported file, CSV or XLSX, as text."""
    if kind == "csv":
        return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    cells = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows())
    assert {cell.data_type for line in cells for cell in line} <= {"s", "n", "d", "inlineStr"}, (
        "a formula, or what Excel takes for one"
    )
    return [["" if cell.value is None else unescape(str(cell.value)) for cell in line] for line in cells]
