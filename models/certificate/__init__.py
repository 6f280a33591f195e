"""《赴境外加工光盘进口备案证明》: one number, one frozen content, one consignment (domain.md: 一批一证)."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Session, foreign, mapped_column, relationship, remote

from models import clock, numbering
from models.application import Application
from models.application.carriers import Carrier
from models.application.child import Child
from models.certificate import fonts
from models.clock import Moment
from models.columns import granted, shown
from models.database import Base
from models.people.accounts import Account
from models.signing import check_code
from models.signing.keys import Keys
from models.text import named, without_useless
from models.workflow import Refused

if TYPE_CHECKING:
    from models.certificate.paper_queue import PaperTask

PARTIES = {"applicant_name": "auto-applicant_name", "publisher_name": "publisher_id"}  # where the form shows them


class Certificate(Child, Base):
    """Written once by the granting transaction, never changed: a mistake means revoke and apply again."""

    __tablename__ = "certificate"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True, info={"label": _l("证明编号")})
    issued_on: Mapped[date] = mapped_column(info={"label": _l("签发日期")})
    authority: Mapped[str] = mapped_column(String(50), info={"label": _l("签发机关")})
    signer: Mapped[str] = mapped_column(String(50), info={"label": _l("签发人")})
    valid_until: Mapped[date | None] = mapped_column(info={"label": _l("有效期至")})
    check_code: Mapped[str] = mapped_column(String(12), server_default="", info={"label": _l("校验码")})
    replaces_id: Mapped[int | None]
    content: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))

    application: Mapped[Application] = relationship(back_populates="certificate")
    paper: Mapped["Paper | None"] = relationship(back_populates="certificate")
    paper_task: Mapped["PaperTask | None"] = relationship(back_populates="certificate", passive_deletes="all")
    replaces: Mapped["Certificate | None"] = relationship(
        primaryjoin=lambda: foreign(Certificate.replaces_id) == remote(Certificate.id), back_populates="replaced_by"
    )
    replaced_by: Mapped["Certificate | None"] = relationship(
        primaryjoin=lambda: Certificate.id == remote(foreign(Certificate.replaces_id)), back_populates="replaces"
    )
    __table_args__ = (UniqueConstraint("application_id"), Index(None, "replaces_id", unique=True))

    def __str__(self) -> str:
        return self.number

    @property
    def snapshot(self) -> dict[str, Any]:
        """What was granted, as text: field → value, and `carriers`: a list of such rows."""
        return json.loads(self.content)


class Paper(Child, Base):
    """The one file of a certificate: set and signed once, kept under its SHA-256, and served as it is ever after."""

    __tablename__ = "paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), unique=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    made_at: Mapped[datetime] = mapped_column(Moment)

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(back_populates="paper")


@dataclass(frozen=True)
class Office:
    """What an authority issues with: its keys, and for how many days a certificate holds (None: no end is stated)."""

    keys: Keys
    days: int | None = None

    def check(self, application: Application, by: Account) -> None:
        """Before anything moves; raises Refused when the certificate could not be signed, or not be printed whole."""
        seal = self.keys.signer(str(application.province)).name
        for printed, sentence in (
            (_strings(frozen(application)), _("无法打印字符 %(signs)s，请退回申请人改用其他写法。")),
            ((by.name,), _("签发人姓名中的字符 %(signs)s 无法打印，请联系系统管理员改用其他写法。")),
            ((seal,), _("印章名称中的字符 %(signs)s 无法打印，请联系系统管理员更换签章证书。")),
        ):
            if missing := fonts.undrawable(printed):
                raise Refused(sentence % {"signs": named(missing)})
        old = application.replaces
        if old and old.replaced_by:
            new = old.replaced_by.number
            sentence = _("证明 %(old)s 已由 %(new)s 替代，不能再次替代。请不予备案，由申请人另行申请。")
            raise Refused(sentence % {"old": old.number, "new": new})

    def issue(self, session: Session, application: Application, by: Account) -> Certificate:
        """Number and freeze what is granted, inside the granting transaction; the caller commits."""
        assert application.province and application.authority
        day, content = clock.today(), json.dumps(frozen(application), ensure_ascii=False, sort_keys=True)
        certificate = Certificate(
            application=application,
            application_id=application.id,
            number=numbering.certificate_number(session, application.province, day),
            issued_on=day,
            valid_until=day + timedelta(days=self.days) if self.days else None,
            authority=application.authority,
            signer=by.name,
            check_code=check_code.new_typed_code(),
            replaces_id=application.replaces_id,  # not `replaces`: that would touch the old row, which never changes
            content=content,
            digest=hashlib.sha256(content.encode()).hexdigest(),
        )
        session.add(certificate)
        session.flush()
        return certificate


def frozen(application: Application) -> dict[str, Any]:
    """The snapshot: every granted field as people read it, and every carrier row.

    What was saved before texts were cleaned has signs in it that nobody sees: they are not granted.
    """
    replaced = {"replaces": application.replaces.number} if application.replaces else {}
    rows = [_texts(carrier) for carrier in application.carriers]
    return _texts(application) | replaced | {"carriers": rows}


def unprintable(application: Application) -> dict[str, str]:
    """What the paper could not show whole: form field → sentence. Raises Refused where fontconfig is missing."""
    wrong = set(fonts.undrawable(_strings(frozen(application))))
    if not wrong:  # almost always
        return {}
    found: dict[str, str | None] = {}
    for name, text in _texts(application).items():
        if not wrong.isdisjoint(text):
            label = Application.__table__.columns[name].info.get("label", name)
            remedy = _("请联系系统管理员改用其他写法") if name in PARTIES else ""
            found[PARTIES.get(name, name)] = fonts.complaint(label, text, remedy)
    for place, carrier in enumerate(application.carriers):
        for name, text in _texts(carrier).items():
            if not wrong.isdisjoint(text):
                label = Carrier.__table__.columns[name].info["label"]
                label = _("第 %(n)s 条载体信息的%(label)s", n=place + 1, label=label)
                found[f"carriers-{place}-{name}"] = fonts.complaint(label, text)
    return {name: sentence for name, sentence in found.items() if sentence}


def _strings(snapshot: dict[str, Any]) -> Iterator[str]:
    for value in snapshot.values():
        if isinstance(value, str):
            yield value
        else:
            for row in value:
                yield from row.values()


def _texts(row: Application | Carrier) -> dict[str, str]:
    texts = {name: str(value) for name in granted(type(row)) if (value := shown(row, name)) is not None}
    return {name: without_useless(text) or text for name, text in texts.items()}


@event.listens_for(Certificate, "before_update")
@event.listens_for(Certificate, "before_delete")
@event.listens_for(Paper, "before_update")
@event.listens_for(Paper, "before_delete")
def never_changed(_mapper: Any, _connection: Any, _row: Certificate | Paper) -> None:
    """What has been issued stays as it was issued."""
    raise RuntimeError("a certificate never changes")
