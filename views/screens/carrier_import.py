"""载体信息 out of a block of cells: pasted, or from a file; a preview first, then all rows or none."""

import json
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from flask import abort, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models.acts import drafts
from models.application.carrier_block import FIELDS, Block, Row, cells_of, read_block
from models.application.carriers import Carrier
from models.codes import labels
from models.database import db
from models.files import table_file
from models.workflow import Refused
from views.panel import spreadsheet, unreadable_text
from views.panel.fields import number_of
from views.screens.attachments import UploadScreen

SHOWN = 20  # rows of the preview that are in order
MOST_WRONG = 200  # rows of the preview that are not
Cells = list[list[str]]


class CarrierImportScreen(UploadScreen):
    """The screen of whoever may edit, with the ways in for many carriers at once."""

    opens = UploadScreen.opens | {"carrier_template", "carrier_preview", "carrier_take"}

    @expose("/carriers/template/")
    def carrier_template(self) -> Any:
        """An empty workbook with the headings, and the code lists on a sheet of their own."""
        columns = [spreadsheet.Column(label, lambda _row: None) for label in headings()]
        infos = [Carrier.__table__.columns[name].info for name in FIELDS]
        coded = [info for info in infos if "codes" in info]
        lists = [list(labels(info["codes"]).values()) for info in coded]
        names = [spreadsheet.Column(str(info["label"]), itemgetter(at)) for at, info in enumerate(coded)]
        rows = list(zip_longest(*lists))
        sheets = [spreadsheet.Sheet(_("载体信息"), columns, []), spreadsheet.Sheet(_("代码"), names, rows)]
        return spreadsheet.download("xlsx", _("载体信息模板"), "carriers", sheets)

    @expose("/carriers/preview/", methods=("POST",))
    def carrier_preview(self) -> Any:
        """What a block would put into the table, for a script as JSON, else as a page. Nothing is written."""
        row = (self.get_one(request.args.get("id")) or abort(404)) if "id" in request.args else None
        scripted = bool(request.headers.get("X-Requested-With"))
        try:
            cells, notes = block_sent()
            block = read_block(cells, request.form.get("start", ""), carried())
        except Refused as refused:
            if scripted:
                return jsonify(message=str(refused)), 422
            flash(str(refused), "error")
            return redirect(self.get_url(".edit_view", id=row.id) if row else self.get_url(".create_view"), 303)
        block.notes[:0] = notes
        if row is None and not scripted:
            abort(400)  # a page without script offers it for a draft alone
        page = self.preview_page(block)
        if not scripted:
            assert row is not None
            return self.render(
                "screens/carriers_preview.html", **page, model=row, cells=json.dumps(cells, ensure_ascii=False)
            )
        html = super().render("screens/carriers_block.html", **page, scripted=True)
        rows = [[each.texts[name] for name in block.fields] for each in block.rows]
        errors = {place: each.errors for place, each in enumerate(block.rows) if each.errors}
        return jsonify(html=html, fields=block.fields, rows=rows, errors=errors)

    def preview_page(self, block: Block) -> dict[str, Any]:
        """The rows that the preview shows: the first ones, and those with a cell to correct."""
        wrong = [place for place, row in enumerate(block.rows) if row.errors][:MOST_WRONG]
        places = sorted({*range(min(SHOWN, len(block.rows))), *wrong})
        return {"block": block, "places": places, "carry": carried(), "start": request.form.get("start", "")}

    @expose("/carriers/take/", methods=("POST",))
    def carrier_take(self) -> Any:
        """The block of a preview page into the draft, all rows or none; what cannot be read is kept as typed."""
        row = self.get_one(request.args.get("id")) or abort(404)
        edit = self.get_url(".edit_view", id=row.id)
        try:
            block = read_block(cells_sent(), "", carried())
            with drafts.revising(db.session(), row, number_of(request.form.get("version")) or 0, by=current_user):
                kept = [] if request.form.get("how") == "replace" else list(row.carriers)
                drafts.check_count(len(kept) + len(block.rows))
                row.carriers = [*kept, *(carrier_of(each) for each in block.rows)]
            db.session().commit()
        except Refused as refused:
            db.session().rollback()
            flash(str(refused), "error")
            return redirect(edit, 303)
        marks = unreadable_text.count(row)
        told = _("已填入 %(count)s 条载体信息。", count=len(block.rows))
        flash(
            told + (_("有 %(marks)s 处还需改正，见红字。", marks=marks) if marks else ""),
            "message" if marks else "success",
        )
        return redirect(f"{edit}#carriers", 303)


def headings() -> list[str]:
    """The headings of the template, in the order of the form."""
    infos = [Carrier.__table__.columns[name].info for name in FIELDS]
    return [f"*{info['label']}" if info.get("required") else str(info["label"]) for info in infos]


def carried() -> list[str]:
    """The fields in which a blank is to repeat the cell above."""
    return [name for name in request.form.getlist("carry") if name in FIELDS]


def block_sent() -> tuple[Cells, list[str]]:
    """(cells, notes) of what was pasted, chosen as a file, or carried by a preview page. Raises Refused."""
    if "cells" in request.form:
        return cells_sent(), []
    file = request.files.get("file")
    if file is None:
        return cells_of(request.form.get("text", "")), []
    content = file.stream.read(table_file.MOST_BYTES + 1)
    cells, names = table_file.read_table(content, current_user.id)
    left = "、".join(f"“{name[:20]}”" for name in names[1:])
    told = _("只读入了工作表“%(name)s”，没有读入：%(left)s。", name=names[0], left=left) if left else ""
    return cells, [told] if told else []


def cells_sent() -> Cells:
    """The cells that a preview page carries."""
    try:
        cells = json.loads(request.form.get("cells", ""))
        json.dumps(cells, ensure_ascii=False).encode()  # half of a character outside the BMP is none
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(cells, list) or not all(
        isinstance(row, list) and all(isinstance(cell, str) for cell in row) for row in cells
    ):
        abort(400)
    return cells


def carrier_of(row: Row) -> Carrier:
    """A new carrier; a cell that cannot be read keeps its text beside the columns."""
    unread = {name: row.texts[name] for name in row.errors if row.texts[name]}
    return Carrier(**row.values, unread=unread or None)
