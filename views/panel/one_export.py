"""导出 of a list: all rows of the current query; one export per account at a time.

CSV is streamed without a time limit. XLSX cannot be read before its end, so it is written to a temporary file first,
within SECONDS: a proxy waits 180 s for the first byte.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any, Self, cast

from flask import abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from models import access
from models.database import briefly, is_unavailable
from models.language import in_chinese, recorded
from models.log import Place
from models.people import export_leases
from models.workflow import Refused
from views.entrance.place import place
from views.panel.logged import note_end_of_export, note_export_and_commit
from views.panel.screen import Screen
from views.panel.spreadsheet import TYPES, Sheet, download

RENEWAL = 20  # seconds between two renewals of a lease
# A workbook of 10,000 applications with their carriers takes 5.4 s of a processor: of 50,000 a fifth of SECONDS.
MOST_IN_XLSX = 50_000
PATIENCE = 3  # seconds that an export waits for the database to take a lease


@dataclass
class ActiveLease:
    """The lease of one export. `token` None: the database cannot be written; the export runs without a lease."""

    app: Any
    account_id: int
    token: str | None = None
    renewed_at: float = 0.0
    rows: int = 0  # rows of the first sheet read so far

    def __enter__(self) -> Self:
        """Claim the lease. Raises Refused while another export of this account is running on any machine."""
        try:
            with access.everything() as session, briefly(session, PATIENCE):
                self.token = export_leases.claim(session, self.account_id)
        except SQLAlchemyError as error:
            self._tolerate(error)
        else:
            if self.token is None:
                minutes = int(export_leases.LEASE.total_seconds() // 60)
                words = _("您的上一次导出还没有完成，没有重复导出，请稍后再试（异常中断的，%(minutes)s 分钟后再试）。")
                raise Refused(words % {"minutes": minutes})
        self.renewed_at = monotonic()
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def end(self) -> None:
        """Release the lease, in an application context of its own: the response may be closed without one."""
        if self.token is not None:
            with self.app.app_context(), access.everything() as session:
                try:
                    export_leases.end(session, self.account_id, self.token)
                    self.token = None
                except SQLAlchemyError as error:
                    self._tolerate(error)

    def renewing(self, rows: Iterable[Any], counted: bool) -> Iterator[Any]:
        """The rows; renews the lease while they are read. `counted`: whether they count as exported rows.

        Raises Refused when another export has claimed the lease.
        """
        for row in rows:
            if self.token is not None and monotonic() - self.renewed_at > RENEWAL:
                self._renew(self.token)
            self.rows += counted
            yield row

    def _renew(self, token: str) -> None:
        self.renewed_at = monotonic()
        try:
            with access.everything() as session, briefly(session, PATIENCE):
                is_held = export_leases.renew(session, self.account_id, token)
        except SQLAlchemyError as error:
            self._tolerate(error)
            return
        if not is_held:
            raise Refused(_("导出停顿过久，您已另外开始导出，这一次没有完成。"))

    def _tolerate(self, error: SQLAlchemyError) -> None:
        """Re-raise unless the database is unavailable: an export goes on without its lease."""
        if not is_unavailable(error):
            raise error
        self.app.logger.exception("the lease of an export could not be written")


def assert_fits(kind: str, count: int) -> None:
    """Raises Refused for a workbook of more than MOST_IN_XLSX rows."""
    if kind == "xlsx" and count > MOST_IN_XLSX:
        words = _("查询结果有 %(count)s 条，Excel 文件最多 %(most)s 条，请缩小查询范围，或改为导出 CSV。")
        raise Refused(words % {"count": count, "most": MOST_IN_XLSX})


class ExportScreen(Screen):
    """A list that can be exported."""

    def sheets(self, name: str, ids: "array[int]") -> Sequence[Sheet]:
        """The tables with these rows in this order; rows are read while the file is written."""
        raise NotImplementedError

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        """All rows of the current query; CSV has only the first sheet. Commits a log entry, and another one when a
        streamed export ends."""
        if export_type not in TYPES:
            abort(404)
        name, app = recorded(self.export_name or self.name), cast(Any, current_app)
        lease = ActiveLease(app._get_current_object(), current_user.id)  # the lease outlives the request
        at_end = partial(self.note_end, lease, name, place())
        try:
            with ExitStack() as closing:
                closing.enter_context(lease)
                ids = self.all_ids()
                assert_fits(export_type, len(ids))
                with in_chinese():  # a file, which other programs read too
                    tables = enumerate(self.sheets(name, ids))
                    sheets = [replace(sheet, rows=lease.renewing(sheet.rows, at == 0)) for at, sheet in tables]
                    answer = download(export_type, name, str(self.endpoint), sheets, at_end)
                note_export_and_commit(name, self.query(), len(ids))
                if export_type == "csv" and answer.is_streamed and request.method == "GET":  # else all is read
                    answer.call_on_close(closing.pop_all().close)
                return answer
        except Refused as refused:
            flash(str(refused), "error")
            return redirect(self.get_url(".index_view", **self.asked()), 303)

    def note_end(self, lease: ActiveLease, name: str, where: Place, is_whole: bool) -> None:
        """Log the end of a streamed export, and release its lease."""
        note_end_of_export(lease.account_id, where, name, is_whole, lease.rows)
        lease.end()
