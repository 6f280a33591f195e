"""The page on which a province decides: changes since 退回, previous and next case, preview of the certificate."""

from contextlib import suppress
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import flash, g, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import and_, tuple_
from sqlalchemy.sql.operators import desc_op
from werkzeug.datastructures import MultiDict

from models import workflow
from models.acts.doubts import Doubt, found_doubts
from models.application import Application, typed_opinion
from models.application.resubmission import resubmission
from models.database import db
from models.language import in_chinese
from models.vocabulary import Action
from models.workflow import Refused
from views.certificate import preview
from views.entrance.security import local
from views.panel.paging import directed, in_sql
from views.panel.saving import commit_or_refuse
from views.resources import office
from views.screens.filing import FilingScreen

MOST_FIELDS = 50  # parameters of the list's query string


class CaseScreen(FilingScreen):
    """A list of a province; the page of a case leads to the previous and next case of the list's query."""

    opens = FilingScreen.opens | {"preview", "save_typed"}

    def render(self, template: str, **kwargs: Any) -> Any:
        model = kwargs.get("model")
        if template == self.details_template and model is not None:
            deciding, back = model.status in workflow.AWAITING, kwargs["return_url"]
            kwargs |= {"deciding": deciding, "neighbours": self.neighbours(model, back)}
            kwargs["internal_acts"] = [action.value for action in workflow.INTERNAL]
            kwargs["typed"] = typed_opinion.of(db.session(), model, current_user) if deciding else None
            kwargs["resubmission"] = resubmission(db.session(), model) if deciding else None
            kwargs["doubts"] = self.doubts_of(model, back) if model.status in workflow.UNDECIDED else []
        return super().render(template, **kwargs)

    def doubts_of(self, row: Application, back: str) -> list[tuple[str, str]]:
        """(sentence, address of the application that it names or "") of the warnings that the applicant has, too."""
        found = found_doubts(db.session(), row)
        return [(doubt.sentence, self.address_of_other(doubt, back)) for doubt in found]

    def address_of_other(self, doubt: Doubt, back: str) -> str:
        """The page of the other application, whose 返回列表 leads to `back`, too; "" if the warning names none."""
        if doubt.other_id is None:
            return ""
        screen = "review" if doubt.other_status in workflow.AWAITING else "filings"
        return str(self.get_url(f"{screen}.details_view", id=doubt.other_id, url=back))

    def acts_of_page(self, row: Application) -> tuple[Action, ...]:
        """For a pending case only the acts that its status allows."""
        if row.status not in workflow.AWAITING:
            return self.page_acts
        return tuple(action for action in self.page_acts if row.status in workflow.ACTS[action].when)

    @expose("/preview/")
    @in_chinese()  # like the certificate
    def preview(self) -> Any:
        """The text of the certificate as 准予备案 would issue it now, and why that would be refused. Writes nothing."""
        row = self.named_row(request.args.get("id"))
        if sentence := workflow.refusal(Action.GRANT, row.status, current_user.role):
            flash(sentence, "error")
            return redirect(self.get_url(".details_view", id=row.id))
        issuing, why_not = office(), ""
        try:
            issuing.check(row, current_user)
        except Refused as refused:
            why_not = str(refused)
        return preview(row, issuing.words(row, current_user), why_not)

    @expose("/typed/", methods=("POST",))
    def save_typed(self) -> Any:
        """Store the unsent opinion about a case and commit; the case itself is not changed."""
        row = self.named_row(request.args.get("id"))
        at = store_opinion_and_commit(row)
        return jsonify(at=at and at.strftime("%H:%M"))

    def attempt_and_commit(self, action: Action, row: Application, **seen: Any) -> Refused | None:
        """Also store a submitted opinion that the act did not record, because it was refused or takes no opinion.

        Not for acts on many rows (`seen`), whose opinion is not about a single one.
        """
        refused = super().attempt_and_commit(action, row, **seen)
        recorded = refused is None and workflow.ACTS[action].holder is workflow.Holder.NOBODY_ELSE
        if not recorded and not seen and (request.form.get("opinion", "").strip() or request.form.get("ground")):
            waiting = self.get_one(request.form.get("id"))  # may not be visible any more
            if waiting is not None and waiting.status in workflow.AWAITING:
                store_opinion_after_act(waiting)
        return refused

    # 上一件, 下一件
    def query(self) -> Any:
        """On the page of one row the query form of the list from which it was opened."""
        on_a_row = request.endpoint == f"{self.endpoint}.details_view"
        if on_a_row and self.query_form is not None and not hasattr(g, "query"):
            g.query = self.query_form(self.listed_by())
        return super().query()

    def listed_by(self) -> "MultiDict[str, str]":
        """The query parameters in the address of the list; empty if that was another screen."""
        parts = urlsplit(local(request.args.get("url")) or "")
        if parts.path != self.get_url(".index_view"):
            return MultiDict()
        try:
            return MultiDict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            return MultiDict()

    def neighbours(self, row: Application, back: str) -> list[tuple[str, str]]:
        """(label, address) of the cases before and after `row` in its list; `row` itself may have left the list."""
        found = ((_("上一件"), self.neighbour(row, True)), (_("下一件"), self.neighbour(row, False)))
        return [(label, self.get_url(".details_view", id=key, url=back)) for label, key in found if key is not None]

    def neighbour(self, row: Application, before: bool) -> int | None:
        """The id of the previous or next row in the order of the list, by keyset; None at its end."""
        order = self.order_of_list()
        columns, ascending = [by.element for by in order], (order[0].modifier is desc_op) == before
        query, here = self.narrow(db.session.query(Application.id)), [sort_value(row, column.key) for column in columns]
        if here[0] is None and columns[0].key == "due_on":  # its former place is unknown: the next is the first one
            query = query.filter(Application.id != row.id).order_by(*in_sql(order))
            return None if before else query.limit(1).scalar()
        query = query.order_by(*(directed(column, not ascending) for column in columns))
        for stretch in stretches(columns, here, ascending):  # one by one: an OR would read the index from its start
            if (found := query.filter(stretch).limit(1).scalar()) is not None:
                return int(found)
        return None

    def order_of_list(self) -> list[Any]:
        """The order of the list that the row was opened from."""
        asked = self.listed_by()
        sort, name = asked.get("sort", type=int), None
        if sort is not None and 0 <= sort < len(self._list_columns):
            name = self._list_columns[sort][0]
        return self.order(name, bool(asked.get("desc", type=int)))


def stretches(columns: list[Any], here: list[Any], ascending: bool) -> list[Any]:
    """Conditions of the rows beyond `here`, nearest first; those without a value are at the end that in_sql() says."""
    first, *others = columns
    if here[0] is not None:
        place = tuple_(*columns) > here if ascending else tuple_(*columns) < here
        return [place, first.is_(None)] if ascending and first.nullable else [place]
    place = tuple_(*others) > here[1:] if ascending else tuple_(*others) < here[1:]
    return [and_(first.is_(None), place), *([] if ascending else [first.is_not(None)])]


def sort_value(row: Application, name: str) -> Any:
    """The value by which the list sorted the row; for 办结期限, which a decision clears, the one in the address."""
    value = getattr(row, name)
    if value is None and name == "due_on":
        try:
            return date.fromisoformat(request.args.get("due", ""))
        except ValueError:
            return None
    return value


def store_opinion_after_act(row: Application) -> None:
    """As store_opinion_and_commit(), but a concurrent text from another window is not overwritten and no error."""
    with suppress(Refused):
        store_opinion_and_commit(row)


def store_opinion_and_commit(row: Application) -> datetime | None:
    """Store opinion and grounds of the submitted form and commit; returns the time, None if they are empty."""
    with commit_or_refuse():  # two windows of one person
        words, grounds = request.form.get("opinion", ""), request.form.getlist("ground")
        return typed_opinion.save(db.session(), row, current_user, words, grounds)
