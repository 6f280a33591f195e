"""统计: applications, decisions and revocations of a period; every number links to the list of its rows."""

from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from models import statistics
from models.database import db
from models.language import in_chinese
from models.vocabulary import Action, Role
from views.panel import spreadsheet
from views.panel.display import on_screen
from views.panel.logged import note_export_and_commit
from views.panel.page import Page
from views.panel.spreadsheet import Column, Sheet
from views.screens.statistics_query import NationStatistics, ProvinceStatistics, StatisticsQuery
from views.screens.statistics_table import COUNTED, Row, Table, measures_of, names_of_rows

FORMS: dict[Role, type[StatisticsQuery]] = {Role.REVIEWER: ProvinceStatistics, Role.NATIONAL: NationStatistics}
LISTS = {Role.REVIEWER: "filings", Role.NATIONAL: "register"}
MOST_BARS = 20


class StatisticsScreen(Page):
    """A table, its chart, and the table as a file."""

    roles = frozenset(FORMS)

    @expose("/")
    def index(self) -> Any:
        form = FORMS[current_user.role].of_address(request.args)
        table = self.table(form) if form.validate() else None
        return self.render(
            "screens/statistics.html",
            query=form,
            table=table,
            bars=table and table.bars(MOST_BARS),
            granted=COUNTED[Action.GRANT],
            readable=on_screen,
            nation=current_user.role is Role.NATIONAL,
        )

    @expose("/export/<export_type>/")
    @in_chinese()  # a file, which other programs read too
    def export(self, export_type: str) -> Any:
        """The table as it is shown, with the total in its last row."""
        if export_type not in spreadsheet.TYPES:
            abort(404)
        form = FORMS[current_user.role].of_address(request.args)
        if not form.validate():
            return redirect(self.get_url(".index", **form.asked()))  # the form shows the errors
        table = self.table(form)
        columns = [Column(table.heading, lambda row: row.label)]
        columns += [Column(str(measure.label), measure.value_of_row) for measure in table.measures]
        note = _("期间：%(since)s 至 %(until)s", since=form.since.data, until=form.until.data)
        if form.only_province():
            note += _("；省份：%(name)s", name=form.only_province())
        sheet = Sheet(str(self.name), columns, [*table.rows, table.total], lambda: note)
        answer = spreadsheet.download(export_type, str(self.name), str(self.endpoint), [sheet])
        note_export_and_commit(str(self.name), form, len(table.rows))
        return answer

    def table(self, form: StatisticsQuery) -> Table:
        """The table for the signed-in account."""
        asked = form.question()
        rows, total = statistics.count(db.session(), asked)
        measures = measures_of(current_user.role, total, self.get_url(f"{LISTS[current_user.role]}.index_view"))
        named = [Row(name, figures, asked, key) for key, name, figures in names_of_rows(asked, rows)]
        return Table(form.heading(), measures, named, Row(_("合计"), total, asked))
