"""Import of 载体信息 from pasted cells or a file: a preview first, then all rows or none."""

import json
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from flask import abort, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models.acts import drafts
from models.application import whole_pieces
from models.application.carrier_block import Block, Row, cells_of, read_block
from models.application.carrier_columns import FIELDS
from models.application.carriers import Carrier
from models.codes import labels
from models.database import db
from models.files import table_file
from models.language import in_chinese, in_sentences, listed
from models.workflow import Refused
from views.panel import spreadsheet, unreadable_text
from views.panel.fields import number_of
from views.panel.saving import commit_or_refuse
from views.screens.attachments import UploadScreen

SHOWN = 20  # first rows in the preview
MOST_WRONG = 200  # further rows with errors, and with doubts, in the preview
Cells = list[list[str]]


class CarrierImportScreen(UploadScreen):
    """The part of 备案证明申请 for importing many carriers at once."""

    opens = UploadScreen.opens | {"carrier_template", "carrier_preview", "carrier_take"}

    @expose("/carriers/template/")
    @in_chinese()
    def carrier_template(self) -> Any:
        """XLSX template: a sheet with the headings, and a sheet with the code lists."""
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
        """The rows that a block would add: JSON for a script, else a page. Writes nothing."""
        row = self.named_row(request.args.get("id")) if "id" in request.args else None
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
            abort(400)  # without a script the page offers it only for a saved draft
        page = self.preview_context(block)
        if not scripted:
            assert row is not None
            return self.render(
                "screens/carriers_preview.html", **page, model=row, cells=json.dumps(cells, ensure_ascii=False)
            )
        html = super().render("screens/carriers_block.html", **page, scripted=True)
        rows = [[each.texts[name] for name in block.fields] for each in block.rows]
        errors = {place: each.errors for place, each in enumerate(block.rows) if each.errors}
        places = [each.place for each in block.rows]
        return jsonify(html=html, fields=block.fields, rows=rows, places=places, errors=errors)

    def preview_context(self, block: Block) -> dict[str, Any]:
        """Template context of the preview: the first rows, and those with errors or doubts."""
        doubts = doubts_of(block)
        wrong = [place for place, row in enumerate(block.rows) if row.errors][:MOST_WRONG]
        places = sorted({*range(min(SHOWN, len(block.rows))), *wrong, *list(doubts)[:MOST_WRONG]})
        sent = {"carry": carried(), "start": request.form.get("start", "")}
        return {"block": block, "doubts": doubts, "places": places, **sent}

    @expose("/carriers/take/", methods=("POST",))
    def carrier_take(self) -> Any:
        """Write the block of a preview page into the draft and commit, all rows or none; invalid cells as typed."""
        row = self.named_row(request.args.get("id"))
        edit = self.get_url(".edit_view", id=row.id)
        try:
            block, version = read_block(cells_sent(), "", carried()), number_of(request.form.get("version")) or 0
            with commit_or_refuse(), drafts.revising(db.session(), row, version, by=current_user):
                before = [] if request.form.get("how") == "replace" else list(row.carriers)
                drafts.check_count(len(before) + len(block.rows))
                row.carriers = [*before, *(carrier_of(each) for each in block.rows)]
                row.page_key = None  # an open page is not the last to save any more
        except Refused as refused:
            flash(str(refused), "error")
            return redirect(edit, 303)
        marks = unreadable_text.count(row)
        summary = _("已填入 %(count)s 条载体信息。", count=len(block.rows))
        if marks:
            summary = in_sentences((summary, _("有 %(marks)s 处还需改正，见红字。", marks=marks)))
        flash(summary, "message" if marks else "success")
        return redirect(f"{edit}#carriers", 303)


def headings() -> list[str]:
    """The headings of the template, in the order of the form."""
    infos = [Carrier.__table__.columns[name].info for name in FIELDS]
    return [f"*{info['label']}" if info.get("required") else str(info["label"]) for info in infos]


def carried() -> list[str]:
    """The fields in which a blank cell repeats the cell above."""
    return [name for name in request.form.getlist("carry") if name in FIELDS]


def doubts_of(block: Block) -> dict[int, str]:
    """Place of a row → sentence on its 进口数量, which is accepted, but should be checked."""
    found = {
        place: whole_pieces.doubt(row.values.get("unit"), row.values.get("quantity"))
        for place, row in enumerate(block.rows)
    }
    return {place: sentence for place, sentence in found.items() if sentence}


def block_sent() -> tuple[Cells, list[str]]:
    """(cells, notes) of the pasted text, the uploaded file, or the preview page. Raises Refused."""
    if "cells" in request.form:
        return cells_sent(), []
    file = request.files.get("file")
    if file is None:
        return cells_of(request.form.get("text", "")), []
    content = file.stream.read(table_file.MOST_BYTES + 1)
    cells, names = table_file.read_table(content, current_user.id)
    left = listed(f"“{name[:20]}”" for name in names[1:])
    summary = _("只读入了工作表“%(name)s”，没有读入：%(left)s。", name=names[0], left=left) if left else ""
    return cells, [summary] if summary else []


def cells_sent() -> Cells:
    """The cells in a hidden field of the preview page; 400 if they are malformed."""
    try:
        cells = json.loads(request.form.get("cells", ""))
        json.dumps(cells, ensure_ascii=False).encode()  # raises for lone surrogates
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(cells, list) or not all(
        isinstance(row, list) and all(isinstance(cell, str) for cell in row) for row in cells
    ):
        abort(400)
    return cells


def carrier_of(row: Row) -> Carrier:
    """A new carrier; the text of invalid cells is stored in `unread`."""
    unread = {name: row.texts[name] for name in row.errors if row.texts[name]}
    return Carrier(**row.values, unread=unread or None)
