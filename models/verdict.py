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
from models.certificate.display import HEADS, dated, field_text, label, total_of
from models.numbering import is_certificate_number
from models.signing import check_code, signatures
from models.signing.check_code import Facts, Forged
from models.signing.keys import Keys
from models.vocabulary import Action, Reason
from models.workflow import Refused


@dataclass(frozen=True)
class Verdict:
    """Result: one word (a key in verify.html), a sentence, and facts for who has proved to hold the paper."""

    word: str
    sentence: str
    facts: dict[str, str] = field(default_factory=dict)

    def without_facts(self) -> "Verdict":
        """The same for who knows only the number: the word, and how to get the facts."""
        return Verdict(self.word, _("要核对证明内容，请扫描证明上的二维码，或输入印在二维码旁的校验码。"))


def of_number(number: str) -> Verdict:
    """By the number: validity without facts, because numbers are consecutive and prove nothing."""
    with access.everything() as session:
        found = _found(session, number)
        return _today(found).without_facts() if found else unknown()


def of_recorded(number: str) -> Verdict:
    """By the number, for the command line: validity and since when, without facts."""
    with access.everything() as session:
        found = _found(session, number)
        return replace(_today(found), facts={}) if found else unknown()


def of_typed(number: str, typed: str) -> Verdict:
    """By number and typed check code; the same result for a wrong code and an unknown number."""
    with access.everything() as session:
        found = _found(session, number)
        return _today(found) if found and check_code.matches_typed_code(typed, found.check_code) else unknown()


def of_code(number: str, code: str, keys: Keys) -> Verdict:
    """By the QR code: its signature, then the current status in the database; "signed" if that does not answer."""
    try:
        facts = check_code.read(code, keys.code_keys())
    except Forged:
        return forged()
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
        return Verdict("signed", sentence, signed_facts(facts))


def of_file(paper: bytes, keys: Keys) -> Verdict:
    """By the file: the very one that was issued, signed by its authority, and still valid.

    Its digest is looked up first: no other file is parsed, whoever made it.
    """
    issued = select(Certificate).join(Certificate.paper).where(Paper.digest == hashlib.sha256(paper).hexdigest())
    with access.everything() as session:
        found = session.scalar(issued)
        if found is None:
            return not_issued()
        try:
            signatures.paper_signer(paper, keys.trusted(), found.authority)
        except Refused as refused:
            return Verdict("forged", str(refused))
        return _today(found)


def signed_facts(facts: Facts) -> dict[str, str]:
    """The facts in a QR code, by the labels of the paper."""
    texts = (facts.number, facts.holder, facts.title, dated(facts.issued_on))
    names = (HEADS["number"], label("publisher_name"), label("title"), HEADS["issued_on"])
    return {str(name): fact for name, fact in zip(names, texts, strict=True)}


def unknown() -> Verdict:
    """No certificate matches; the sentence does not say why."""
    return Verdict("unknown", _("没有与所填内容相符的备案证明。请核对证明编号和校验码，或向签发机关核实。"))


def forged() -> Verdict:
    """A code that no authority signed for this certificate."""
    return Verdict(
        "forged",
        _("二维码不完整，或不是签发机关为这份证明签署的。请重新扫描；仍是如此的，请勿采信，并向签发机关核实。"),
    )


def not_issued() -> Verdict:
    """A file that is not, byte for byte, a paper of the register."""
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
    return Verdict("valid", _("这份备案证明目前有效。"), _facts(certificate))


def _ended(certificate: Certificate) -> str:
    """When and why it was revoked, and the number of its replacement."""
    session = object_session(certificate)
    assert session is not None
    (entry,) = trail.newest(session, certificate.application_id, Action.REVOKE, 1)
    reason = Reason((entry.changes or {}).get("reason", [None, Reason.OTHER])[1]).label
    when = dated(entry.at)
    sentence = _("这份备案证明已于 %(when)s作废（%(why)s），不能再用于办理进口手续。", when=when, why=reason)
    if certificate.replaced_by:
        sentence += _("已由证明 %(number)s 替代。", number=certificate.replaced_by.number)
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
    )
