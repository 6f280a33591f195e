"""《赴境外加工光盘进口备案证明》: one number and one frozen content for one consignment (一批一证)."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, foreign, mapped_column, object_session, relationship, remote

from models import clock, numbering
from models.application import Application
from models.application.carriers import Carrier
from models.application.child import Child
from models.application.fingerprint import canonical
from models.certificate import fonts
from models.certificate.licence_identifier import LicenceCodes
from models.clock import Moment
from models.columns import granted, shown
from models.database import Base
from models.deadlines import provinces
from models.language import in_chinese
from models.people.accounts import Account
from models.signing import typed_code
from models.signing.keys import Keys
from models.text import listed_characters, without_useless
from models.workflow import Refused

if TYPE_CHECKING:
    from models.certificate.paper_queue import PaperTask
    from models.certificate.uses import CertificateUse

IDENTIFYING = (  # columns in the digest that the trail entry of 准予备案 stores
    "application_id", "number", "issued_on", "valid_until", "authority", "signer", "check_code", "replaces_id",
    "digest",
)  # fmt: skip
NO_CODES = LicenceCodes()
PARTIES = {"applicant_name": "auto-applicant_name", "publisher_name": "publisher_id"}  # column → field of the form


class Certificate(Child, Base):
    """Inserted by the granting transaction and never changed; a mistake is corrected by revoking and reapplying."""

    __tablename__ = "certificate"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id", ondelete="RESTRICT"))  # unique: no index
    number: Mapped[str] = mapped_column(String(32), unique=True, info={"label": _l("证明编号")})
    issued_on: Mapped[date] = mapped_column(info={"label": _l("签发日期")})
    authority: Mapped[str] = mapped_column(String(50), info={"label": _l("签发机关")})
    signer: Mapped[str] = mapped_column(String(50), info={"label": _l("签发人")})
    valid_until: Mapped[date | None] = mapped_column(info={"label": _l("有效期至")})
    check_code: Mapped[str] = mapped_column(String(12), server_default="", info={"label": _l("校验码")})
    # 电子证照标识, computed from the codes in force at its issue, or at migration 0043.
    identifier: Mapped[str | None] = mapped_column(String(100))
    replaces_id: Mapped[int | None]
    content: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))

    application: Mapped[Application] = relationship(back_populates="certificate")
    paper: Mapped["Paper | None"] = relationship(back_populates="certificate")
    paper_task: Mapped["PaperTask | None"] = relationship(back_populates="certificate", passive_deletes="all")
    uses: Mapped[list["CertificateUse"]] = relationship(
        back_populates="certificate", order_by="CertificateUse.at, CertificateUse.id"
    )
    replaces: Mapped["Certificate | None"] = relationship(
        primaryjoin=lambda: foreign(Certificate.replaces_id) == remote(Certificate.id), back_populates="replaced_by"
    )
    replaced_by: Mapped["Certificate | None"] = relationship(
        primaryjoin=lambda: Certificate.id == remote(foreign(Certificate.replaces_id)), back_populates="replaces"
    )
    __table_args__ = (
        UniqueConstraint("application_id"),
        Index(None, "replaces_id", unique=True),
        Index(None, "issued_on"),
    )

    def __str__(self) -> str:
        return self.number

    @property
    def snapshot(self) -> dict[str, Any]:
        """The granted content as text: field → value, and `carriers`: a list of such dicts."""
        return json.loads(self.content)

    def fingerprint(self, with_identifier: bool = True) -> str:
        """SHA-256 over the whole row, for the trail entry of 准予备案 (`digest` covers the content alone).

        A missing identifier counts as `--`, because empty values are left out. Until migration 0043 it was not covered.
        """
        values = {name: getattr(self, name) for name in IDENTIFYING}
        values |= {"identifier": self.identifier or "--"} if with_identifier else {}
        return hashlib.sha256(canonical(values)).hexdigest()

    def has_fingerprint(self, fingerprint: str) -> bool:
        """Whether `fingerprint`, of a trail entry, is that of this row, with or without the identifier."""
        return fingerprint in (self.fingerprint(), self.fingerprint(with_identifier=False))


class Paper(Child, Base):
    """The PDF of a certificate: typeset and signed once, stored under its SHA-256 and never changed."""

    __tablename__ = "paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id", ondelete="RESTRICT"), unique=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    made_at: Mapped[datetime] = mapped_column(Moment)

    application: Mapped[Application] = relationship()
    certificate: Mapped[Certificate] = relationship(back_populates="paper")


@dataclass(frozen=True)
class Office:
    """Settings of issuing: the keys, the codes of 电子证照标识, the days of validity (None: unlimited).

    The days that a province has set for itself take their place.
    """

    keys: Keys
    days: int | None = None
    codes: LicenceCodes = NO_CODES

    def check(self, application: Application, by: Account) -> None:
        """Raises Refused when the certificate cannot be signed, a character not printed, or the old one is replaced."""
        seal = self.keys.signer(str(application.province)).name
        for printed, sentence in (
            (_strings(frozen(application)), _("无法打印字符 %(signs)s，请退回申请人改用其他写法。")),
            ((by.name,), _("签发人姓名中的字符 %(signs)s 无法打印，请联系系统管理员改用其他写法。")),
            ((seal,), _("印章名称中的字符 %(signs)s 无法打印，请联系系统管理员更换签章证书。")),
        ):
            if missing := fonts.undrawable(printed):
                raise Refused(sentence % {"signs": listed_characters(missing)})
        old = application.replaces
        if old and old.replaced_by:
            new = old.replaced_by.number
            sentence = _("证明 %(old)s 已由 %(new)s 替代，不能再次替代。请不予备案，由申请人另行申请。")
            raise Refused(sentence % {"old": old.number, "new": new})

    def words(self, application: Application, by: Account) -> dict[str, Any]:
        """Column → value of a certificate issued now, except its number and snapshot."""
        day = clock.today()
        session = object_session(application)
        assert session is not None
        days = provinces.valid_days(session, application.province) or self.days
        until = day + timedelta(days=days) if days else None
        return {"issued_on": day, "valid_until": until, "authority": application.authority, "signer": by.name}

    def issue(self, session: Session, application: Application, by: Account) -> Certificate:
        """Create the certificate with its number and snapshot; flushes, the caller commits."""
        assert application.province
        words = self.words(application, by)
        content = json.dumps(frozen(application), ensure_ascii=False, sort_keys=True)
        number = numbering.certificate_number(session, application.province, words["issued_on"])
        certificate = Certificate(
            application=application,
            application_id=application.id,
            number=number,
            identifier=self.codes.identifier(number),
            check_code=typed_code.new_typed_code(),
            replaces_id=application.replaces_id,  # not `replaces`: that would update the old row, which is refused
            content=content,
            digest=hashlib.sha256(content.encode()).hexdigest(),
            **words,
        )
        session.add(certificate)
        session.flush()
        return certificate


def frozen(application: Application) -> dict[str, Any]:
    """The snapshot of an application: every granted field as displayed, and every carrier row.

    Without invisible characters, which texts saved by old releases may contain.
    """
    replaced = {"replaces": application.replaces.number} if application.replaces else {}
    with in_chinese():  # also when the reviewer's screens are English
        rows = [_texts(carrier) for carrier in application.carriers]
        return _texts(application) | replaced | {"carriers": rows}


def unprintable(application: Application) -> dict[str, str]:
    """Fields with characters that cannot be printed: form field → sentence. Raises Refused without fontconfig."""
    wrong = set(fonts.undrawable(_strings(frozen(application))))
    if not wrong:  # the usual case
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
