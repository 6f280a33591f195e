"""Warnings for the applicant before 申报 and for the reviewer. They prevent nothing (our own rule)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from stdnum import isbn

from models import clock
from models.application import Application, whole_pieces
from models.certificate import Certificate
from models.codes import authority_of, names_of
from models.language import listed
from models.people.accounts import Organisation
from models.text import search_key
from models.vocabulary import Status
from models.workflow import UNDECIDED, VALID

YEAR = timedelta(days=365)
MOST_COMPARED, MOST_NAMED = 50, 3


@dataclass(frozen=True)
class Doubt:
    """One warning. `other_id`, `other_status`: of the application it names; None: it names none."""

    sentence: str
    other_id: int | None = None
    other_status: Status | None = None


def doubts(session: Session, application: Application) -> list[str]:
    """As found_doubts(), the sentences alone."""
    return [doubt.sentence for doubt in found_doubts(session, application)]


def found_doubts(session: Session, application: Application) -> list[Doubt]:
    """The publisher has moved, likely duplicates that this session sees, equal files, past days, a wrong ISBN, and
    pieces that would be divided."""
    files_and_fields = chain(_same_files(application), _past_days(application), _wrong_isbn(application))
    alone = chain(files_and_fields, whole_pieces.doubts(application.carriers))
    moved = map(Doubt, _moved_publisher(session, application))
    return [*moved, *_duplicates(session, application), *map(Doubt, alone)]


def province_today(session: Session, application: Application) -> str | None:
    """The province that would decide after 申报 today: the publisher of a draft may have moved to another province."""
    if application.applied_on is not None or application.publisher_id is None:
        return application.province
    publisher = session.get(Organisation, application.publisher_id)  # the form has read it
    return publisher.province if publisher and publisher.province else application.province


def fingerprint(sentences: list[str]) -> str:
    """A hash of the sentences that a page has shown, sent back with 申报; "" for none."""
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:16] if sentences else ""


def _moved_publisher(session: Session, application: Application) -> Iterator[str]:
    province = province_today(session, application)
    if province and province != application.province:
        yield _(
            "出版单位现在登记在%(province)s，申报后由%(authority)s受理，请核对需要提交的附件。",
            province=names_of("province").get(province, ""),
            authority=authority_of(province),
        )


def _duplicates(session: Session, application: Application) -> Iterator[Doubt]:
    """Applications with the same publisher, title and plant that are undecided, or whose 签发日期 is within a year."""
    if not (application.publisher_id and application.title_key and application.manufacturer):
        return
    lately = Application.certificate.has(Certificate.issued_on >= clock.today() - YEAR)
    others = select(Application.id, Application.number, Application.status, Application.manufacturer).where(
        Application.title_sort == application.title_sort,  # in the index, after the scope of the role
        Application.title_key == application.title_key,
        Application.publisher_id == application.publisher_id,
        Application.id != application.id,
        Application.deleted_at.is_(None),
        or_(Application.status.in_(UNDECIDED), Application.status.in_(VALID) & lately),
    )
    plant = search_key(application.manufacturer)
    newest = session.execute(others.order_by(Application.id.desc()).limit(MOST_COMPARED))
    found = [other for other in newest if search_key(other.manufacturer or "") == plant]
    for other in found[:MOST_NAMED]:
        sentence = _(
            "%(number)s（%(status)s）与本申请的出版单位、商品名称和境外加工企业都相同，请确认不是重复申请。",
            number=other.number,
            status=other.status.label,
        )
        yield Doubt(sentence, other.id, other.status)
    if len(found) > MOST_NAMED:
        yield Doubt(_("这样的申请还有 %(count)s 份，没有逐一列出。", count=len(found) - MOST_NAMED))


def _same_files(application: Application) -> Iterator[str]:
    names = defaultdict(list)
    for file in application.current_attachments:
        names[file.digest].append(_("%(kind)s“%(name)s”", kind=file.kind.label, name=file.name))
    for same in names.values():
        if len(same) > MOST_NAMED:
            sentence = _("附件%(names)s 等 %(count)s 个文件的内容相同，请核对是否重复上传。")
            yield sentence % {"names": listed(same[:MOST_NAMED]), "count": len(same)}
        elif len(same) > 1:
            yield _("附件%(names)s的内容相同，请核对是否重复上传。", names=listed(same))


def _past_days(application: Application) -> Iterator[str]:
    for column in Application.__table__.columns:
        day = getattr(application, column.key) if "earliest" in column.info else None
        if day and day < clock.today():
            yield _("%(label)s %(day)s 已经过去，请核对。", label=column.info["label"], day=day)


def _wrong_isbn(application: Application) -> Iterator[str]:
    if application.isbn and not isbn.is_valid(application.isbn):
        yield _("ISBN “%(isbn)s” 的校验位不符，请核对。", isbn=application.isbn)
