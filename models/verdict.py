"""查验: verification of a certificate by its number, check code, QR code, or file."""

import hashlib
from dataclasses import dataclass, field, replace

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, TimeoutError
from sqlalchemy.orm import Session, object_session

from models import access, clock, workflow
from models.application import Application, trail
from models.certificate import Certificate, Paper
from models.certificate.display import HEADS, USE_HEAD, dated, field_text, label, total_of, used_text
from models.language import in_sentences
from models.numbering import is_certificate_number
from models.signing import check_code, signatures, typed_code
from models.signing.check_code import Facts, Forged, StatusList
from models.signing.keys import Keys
from models.signing.signatures import PaperSignature
from models.vocabulary import Action, Reason
from models.workflow import Refused


@dataclass(frozen=True)
class Verdict:
    """Result: a word (key in verify.html), a sentence, and the facts of the certificate if code or file was right."""

    word: str
    sentence: str
    facts: dict[str, str] = field(default_factory=dict)

    def without_facts(self) -> "Verdict":
        """The result without facts, for a request with the number alone: says how to see them."""
        return Verdict(self.word, _("要核对证明内容，请扫描证明上的二维码，或输入印在二维码旁的校验码。"))


def of_number(number: str) -> Verdict:
    """Verify by number: validity without facts, because numbers are consecutive and prove nothing."""
    with access.everything() as session:
        found = _found(session, number)
        return _today(found).without_facts() if found else unknown()


def of_recorded(number: str) -> Verdict:
    """Verify by number, for the command line: validity and since when, without facts."""
    with access.everything() as session:
        found = _found(session, number)
        return replace(_today(found), facts={}) if found else unknown()


def of_typed(number: str, typed: str) -> Verdict:
    """Verify by number and typed check code; the same result for a wrong code and an unknown number."""
    with access.everything() as session:
        found = _found(session, number)
        return _today(found) if found and typed_code.matches_typed_code(typed, found.check_code) else unknown()


def of_code(number: str, code: str, keys: Keys) -> Verdict:
    """Verify by QR code: its signature, then the current status; "later" if the database does not answer."""
    known, complete = keys.read_code_keys()
    try:
        facts = check_code.read(code, known)
    except check_code.Newer:
        return newer()
    except Forged:
        return unsigned(complete)
    if facts.number != number:
        return forged()
    try:
        with access.everything() as session:
            found = _found(session, number)
            if found is None:
                return Verdict("unknown", _("二维码确由签发机关签署，但没有登记这份证明。请向签发机关核实。"))
            return _today(found) if facts.digest == found.digest else forged()
    except (OperationalError, TimeoutError):
        sentence = _("二维码确由签发机关签署，今日状态暂时无法查询，请稍后再试。")
        return Verdict("later", sentence, signed_facts(facts))


def of_file(paper: bytes, keys: Keys) -> Verdict:
    """Verify a file: whether it is the issued file, signed by its authority, and still valid.

    Its digest is looked up first, so that no file of unknown origin is parsed.
    """
    issued = select(Certificate).join(Certificate.paper).where(Paper.digest == hashlib.sha256(paper).hexdigest())
    with access.everything() as session:
        found = session.scalar(issued)
        if found is None:
            return not_issued()
        trusted, complete = keys.read_trusted()
        try:
            signed = signatures.paper_signature(paper, trusted, found.authority, keys.stampers())
        except Refused as refused:
            return Verdict("forged", str(refused)) if complete else unreadable()
        today = _today(found)
        return replace(today, facts=today.facts | {_("签名"): _level(signed)})


def _level(signed: PaperSignature) -> str:
    """The PAdES level (ETSI EN 319 142-1): with a trusted time stamp or without, with revocation data or without."""
    if signed.stamped_at is None:
        return _("PAdES B-B（没有可信时间戳）")
    when = f"{signed.stamped_at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"
    if signed.is_long_term:
        return _("PAdES B-LT（时间戳 %(when)s，附吊销列表）", when=when)
    return _("PAdES B-T（时间戳 %(when)s）", when=when)


def of_list(facts: Facts, status_list: StatusList) -> Verdict:
    """Verify by a genuine QR code and a list (名单) of revoked certificates, without the database."""
    now = clock.now()
    word = check_code.standing(facts, status_list, now)
    sentence = {
        "valid": _("二维码由签发机关签署，按名单没有作废。"),
        "void": _("二维码由签发机关签署，但证明已经作废，不能再用于办理进口手续。"),
        "expired": _("二维码由签发机关签署，按名单没有作废，但有效期已经届满。"),
        "foreign": _("二维码由签发机关签署；名单不是这份证明所属省份和年度的，请换用，或联网查验。"),
        "stale": _("二维码由签发机关签署；名单已经过期，是否作废不能据以判断，请换用新的名单，或联网查验。"),
        "future": _("二维码由签发机关签署；名单的制作时间晚于本机时间，请校准时钟后再试，或联网查验。"),
    }[word]
    when, days = f"{status_list.made_at:%Y-%m-%d %H:%M}", (now - status_list.made_at).days
    age = {_("名单制作时间"): _("%(when)s，距今 %(days)s 天", when=when, days=days)}
    return Verdict(word, sentence, age | signed_facts(facts))


def signed_facts(facts: Facts) -> dict[str, str]:
    """The facts in a QR code, by the labels of the paper."""
    texts = (facts.number, facts.holder, facts.title, dated(facts.issued_on))
    names = (HEADS["number"], label("publisher_name"), label("title"), HEADS["issued_on"])
    stated = {str(name): fact for name, fact in zip(names, texts, strict=True)}
    stated |= {str(HEADS["valid_until"]): dated(facts.valid_until)} if facts.valid_until else {}
    return stated | ({_("签署日期"): dated(facts.signed_on)} if facts.signed_on else {})


def unknown() -> Verdict:
    """The result when no certificate matches; the sentence does not say why."""
    return Verdict("unknown", _("没有与所填内容相符的备案证明。请核对证明编号和校验码，或向签发机关核实。"))


def unsigned(complete: bool) -> Verdict:
    """The result for a code that no known key has signed; `complete`: whether all keys could be read."""
    return forged() if complete else unreadable()


def forged() -> Verdict:
    """The result for a code without a valid signature for this certificate."""
    return Verdict(
        "forged",
        _("二维码不完整，或不是签发机关为这份证明签署的。请重新扫描；仍是如此的，请勿采信，并向签发机关核实。"),
    )


def unreadable() -> Verdict:
    """The result when a public key cannot be read: nothing is called forged."""
    return Verdict("later", _("签发机关的公钥暂时不能读取，现在无法查验，请稍后再试。"))


def newer() -> Verdict:
    """The result for a code of an unknown, perhaps newer format, which cannot be verified."""
    return Verdict(
        "unknown", _("本程序版本较旧，不能查验这个二维码。请换用新版本查验，或向签发机关核实；查验之前请勿采信。")
    )


def not_issued() -> Verdict:
    """The result for a file that is not, byte for byte, an issued paper."""
    return Verdict(
        "forged",
        _(
            "这个文件不是登记的备案证明原件，可能被改动或重新保存过，请勿采信。"
            "请向签发机关索取原件，或用证明编号和校验码查验。"
        ),
    )


def _found(session: Session, number: str) -> Certificate | None:
    if not is_certificate_number(number):
        return None
    return session.scalar(select(Certificate).where(Certificate.number == number))


def _today(certificate: Certificate) -> Verdict:
    if certificate.application.status not in workflow.VALID:
        return Verdict("void", _ended(certificate), _facts(certificate))
    if certificate.valid_until and certificate.valid_until < clock.today():
        when = dated(certificate.valid_until)
        return Verdict("expired", _("这份备案证明的有效期已于 %(when)s届满。", when=when), _facts(certificate))
    return Verdict(
        "valid", in_sentences((_("这份备案证明目前有效。"), _used(certificate))).strip(), _facts(certificate)
    )


def _used(certificate: Certificate) -> str:
    """The sentence on the last 核注 or 核销; "" without any."""
    if not certificate.uses:
        return ""
    last = certificate.uses[-1]
    return _("海关%(usage)s（%(when)s）。", usage=last.usage.label, when=dated(last.at.date()))


def _ended(certificate: Certificate) -> str:
    """The sentence when and why it was revoked, and the number of its replacement."""
    session = object_session(certificate)
    assert session is not None
    (entry,) = trail.newest(session, certificate.application_id, Action.REVOKE, 1)
    reason = Reason((entry.changes or {}).get("reason", [None, Reason.OTHER])[1]).label
    when = dated(entry.at)
    sentence = _("这份备案证明已于 %(when)s作废（%(why)s），不能再用于办理进口手续。", when=when, why=reason)
    if certificate.replaced_by:
        sentence = in_sentences((sentence, _("已由证明 %(number)s 替代。", number=certificate.replaced_by.number)))
    return sentence


def _facts(certificate: Certificate) -> dict[str, str]:
    """The facts that a customs officer compares with the paper: label → text."""
    snapshot = certificate.snapshot
    until = {str(HEADS["valid_until"]): dated(certificate.valid_until)} if certificate.valid_until else {}
    return (
        {str(HEADS["number"]): certificate.number}
        | {label(name): field_text(snapshot, name) for name in ("publisher_name", "title", "port")}
        | {str(Application.carriers.property.info["label"]): total_of(snapshot["carriers"])}
        | {str(HEADS["authority"]): certificate.authority, str(HEADS["issued_on"]): dated(certificate.issued_on)}
        | until
        | ({str(USE_HEAD): used_text(certificate.uses)} if certificate.uses else {})
    )
