"""常用意见: stock sentences for opinions, by province and act, edited by its reviewers."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.database import Base
from models.database.versions import flush_or_refuse, unrepeated
from models.deadlines.provinces import ProvinceChange, record_change
from models.people.accounts import Account
from models.text import clean_text
from models.vocabulary import Action, Role, WordColumn
from models.workflow import ACTS, Refused

MOST_WORDS, MOST_EACH = 200, 30  # characters of a sentence; sentences for one act, so that the list stays readable
WITH_OPINION = tuple(action for action, act in ACTS.items() if (act.opinion or act.remark) and Role.REVIEWER in act.by)


class StockOpinion(Base):
    """One sentence for the opinion of one act. Row security: only the reviewers of `province` see it."""

    __tablename__ = "stock_opinion"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    province: Mapped[str] = mapped_column(String(6))
    act: Mapped[Action] = mapped_column(WordColumn(Action), info={"label": _l("办理")})
    position: Mapped[int] = mapped_column(default=0, server_default="0")  # in the list of its act
    words: Mapped[str] = mapped_column(String(MOST_WORDS), info={"label": _l("常用意见")})

    __mapper_args__ = {"version_id_col": version, "version_id_generator": unrepeated}
    __table_args__ = (UniqueConstraint("province", "act", "words"),)


def setting_of(act: Action) -> str:
    """The name of this act's list in the trail of 本省设置."""
    return f"opinion_{act.value}"


ACT_OF = {setting_of(act): act for act in WITH_OPINION}  # setting in the trail → act


def listed(session: Session) -> dict[Action, list[StockOpinion]]:
    """Act → its sentences in the order that the reviewers have set, of the rows that this session sees."""
    found: dict[Action, list[StockOpinion]] = {act: [] for act in WITH_OPINION}
    for row in session.scalars(select(StockOpinion).order_by(StockOpinion.position, StockOpinion.id)):
        found[row.act].append(row)
    return found


def add(session: Session, act: Action, words: str, by: Account) -> ProvinceChange:
    """Add a sentence to the end of the list of `act`; returns its trail entry. Raises Refused; the caller commits."""
    assert by.province and act in WITH_OPINION
    text, same = _read(words), listed(session)[act]
    if len(same) >= MOST_EACH:
        raise Refused(_("「%(act)s」最多 %(most)s 条常用意见，请先移除不用的。", act=act.label, most=MOST_EACH))
    _check_new(same, text)
    last = max((row.position for row in same), default=0)
    session.add(StockOpinion(province=by.province, act=act, words=text, position=last + 1))
    return record_change(session, by.province, setting_of(act), "", text, by)


def change(session: Session, row: StockOpinion, version: int | None, words: str, by: Account) -> ProvinceChange | None:
    """Change the words of a sentence of this `version`; returns the trail entry, None: nothing changed.

    The caller commits. Raises Refused, after a rollback if somebody else was first.
    """
    text = _read(words)
    _check_version(row, version)
    if text == row.words:
        return None
    _check_new(listed(session)[row.act], text)
    before, row.words = row.words, text
    flush_or_refuse(session, _changed())
    return record_change(session, row.province, setting_of(row.act), before, text, by)


def remove(session: Session, row: StockOpinion, version: int | None, by: Account) -> ProvinceChange:
    """Delete a sentence of this `version`; returns the trail entry. As change()."""
    _check_version(row, version)
    session.delete(row)
    flush_or_refuse(session, _changed())
    return record_change(session, row.province, setting_of(row.act), row.words, "", by)


def move(session: Session, row: StockOpinion, version: int | None, up: bool, by: Account) -> ProvinceChange | None:
    """Move a sentence up or down by one; no-op at the end of the list. As change()."""
    _check_version(row, version)
    order = listed(session)[row.act]
    here = order.index(row)
    there = here + (-1 if up else 1)
    if not 0 <= there < len(order):
        return None
    order[here], order[there] = order[there], order[here]
    for place, each in enumerate(order, start=1):
        each.position = place
    flush_or_refuse(session, _changed())
    before, after = (f"{place + 1}. {row.words}"[:MOST_WORDS] for place in (here, there))
    return record_change(session, row.province, setting_of(row.act), before, after, by)


def _read(words: str) -> str:
    text = (clean_text(words) or "").replace("\r\n", "\n")
    if not text:
        raise Refused(_("请填写常用意见的内容。"))
    if len(text) > MOST_WORDS:
        sentence = _("常用意见最多 %(most)s 字，现在 %(length)s 字，请精简。", most=MOST_WORDS, length=len(text))
        raise Refused(sentence)
    return text


def _check_new(same: list[StockOpinion], text: str) -> None:
    if any(row.words == text for row in same):
        raise Refused(_("已有相同的常用意见。"))


def _check_version(row: StockOpinion, version: int | None) -> None:
    if version != row.version:
        raise Refused(_changed())


def _changed() -> str:
    return _("这条常用意见刚刚已被他人修改，您的改动没有保存，请核对后再改。")
