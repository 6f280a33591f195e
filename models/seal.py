"""The keys of the authorities: who signs papers, messages and check codes, and whom we trust (电子签名法 第十三条).

A folder holds, for each province by its code: `320000.p12`, certificate and key that sign papers and messages;
`320000.key`, the Ed25519 key (PEM) that signs check codes; `320000*.pub`, keys of codes that were used before;
and the roots that papers are checked against, as `*.crt` (PEM).
"""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from flask_babel import gettext as _

from models import clock
from models.codes import authority_of
from models.workflow import Refused

if TYPE_CHECKING:  # a second to load, which only those wait for who sign
    from pyhanko.sign.signers import Signer as Hand


@dataclass(frozen=True)
class Signer:
    """What one authority signs with. `hand` is pyHanko's: a key file here, a card or a signature server elsewhere."""

    name: str
    hand: "Hand"
    code_key: Ed25519PrivateKey


@dataclass(frozen=True)
class Keys:
    """The folder of keys and its passphrase, if the keys have one."""

    folder: Path
    passphrase: str | None = None

    def signer(self, province: str) -> Signer:
        """The keys of a province (six digits), valid today. Raises Refused: nothing is ever issued unsigned (PD4)."""
        who = authority_of(province) or province
        file, code_file = self.folder / f"{province}.p12", self.folder / f"{province}.key"
        if not (file.is_file() and code_file.is_file()):
            raise Refused(_("尚未配置%(who)s的签章密钥，不能签发证明，请联系系统管理员。", who=who))
        try:
            hand = _hand(file, self.passphrase)
            code_key = load_pem_private_key(code_file.read_bytes(), self._secret)
            assert isinstance(code_key, Ed25519PrivateKey)
        except (ValueError, TypeError, AssertionError):
            raise Refused(_("%(who)s的签章密钥无法打开，请联系系统管理员核对密钥和口令。", who=who)) from None
        valid = hand.signing_cert["tbs_certificate"]["validity"]
        if not valid["not_before"].native <= clock.now() < valid["not_after"].native:
            raise Refused(_("%(who)s的签章证书不在有效期内，不能签发证明，请联系系统管理员更换。", who=who))
        self._check_that_readers_can(hand, code_key, province, who)
        return Signer(hand.signing_cert.subject.native["common_name"], hand, code_key)

    def _check_that_readers_can(self, hand: "Hand", code_key: Ed25519PrivateKey, province: str, who: str) -> None:
        """Raises Refused when what is signed could be verified by nobody: a root or a public key was not laid out."""
        if (province, code_key.public_key()) not in self.code_keys():
            raise Refused(_("%(who)s的二维码公钥缺失或与私钥不符，不能签发证明，请联系系统管理员补齐。", who=who))
        roots = {root.subject.public_bytes() for root in self.trusted()}
        if roots.isdisjoint(above.issuer.dump() for above in (hand.signing_cert, *hand.cert_registry)):
            raise Refused(_("%(who)s的签章证书不是由受信任的根证书签发，不能签发证明，请联系系统管理员核对。", who=who))

    @property
    def _secret(self) -> bytes | None:
        return self.passphrase.encode() if self.passphrase else None

    def trusted(self) -> list[x509.Certificate]:
        """The roots that signatures must lead to."""
        return [x509.load_pem_x509_certificate(file.read_bytes()) for file in sorted(self.folder.glob("*.crt"))]

    def code_keys(self) -> Iterator[tuple[str, Ed25519PublicKey]]:
        """Every public key of check codes, present and former, with the province (six digits) it speaks for."""
        for file in sorted(self.folder.glob("*.pub")):
            key = load_pem_public_key(file.read_bytes())
            if isinstance(key, Ed25519PublicKey):
                yield file.name[:6], key


def _hand(file: Path, passphrase: str | None) -> "Hand":
    from pyhanko.sign.signers import SimpleSigner

    hand = SimpleSigner.load_pkcs12(file, passphrase=passphrase.encode() if passphrase else None)
    if hand is None:
        raise ValueError("not a PKCS#12 file, or another passphrase")
    return hand


def cms(signer: Signer, data: bytes) -> bytes:
    """A detached signature over `data` (CMS, DER; SHA-256)."""
    return asyncio.run(signer.hand.async_sign_general_data(data, "sha256", detached=True)).dump()


def cms_signer(signature: bytes, data: bytes, trusted: list[x509.Certificate]) -> str:
    """Who signed `data`; raises Refused when the signature is not theirs, or not of these very bytes."""
    from asn1crypto.cms import ContentInfo
    from pyhanko.sign.validation import async_validate_detached_cms

    try:
        content = ContentInfo.load(signature)["content"]
        status = asyncio.run(async_validate_detached_cms(data, content, judging(trusted)))
    except Exception:  # whatever a parser meets in bytes from outside, they are no signature
        raise Refused(_("签名无法识别。")) from None
    if not (status.intact and status.valid and status.trusted):
        raise Refused(_("签名与内容不符，或签名人不可信。"))
    return str(status.signing_cert.subject.native["common_name"])


def paper_signer(paper: bytes, trusted: list[x509.Certificate]) -> str:
    """Who signed the whole of this PDF; raises Refused when nobody did whom we trust, or it was changed since.

    Judged by the day it says it was signed on: a certificate that has since ended does not undo what it signed, and
    whether that very file was issued then, the register knows.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    try:
        first = PdfFileReader(io.BytesIO(paper)).embedded_regular_signatures[0]
        status = validate_pdf_signature(first, judging(trusted, first.self_reported_timestamp))
    except Exception:  # whatever a parser meets in bytes from outside, they are no signed PDF
        raise Refused(_("文件不是经签章的备案证明，或已经损坏。请向签发机关索取原件。")) from None
    whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE and status.docmdp_ok
    if not (status.intact and status.valid and whole):
        raise Refused(_("文件在签章之后被改动过，请勿采信，并向签发机关核实。"))
    if not status.trusted:
        raise Refused(_("文件的签章不是签发机关的，请勿采信，并向签发机关核实。"))
    return str(status.signing_cert.subject.native["common_name"])


def judging(trusted: list[x509.Certificate], moment: datetime | None = None) -> Any:
    """What a signature is judged by: these roots alone, as of `moment` (now); nothing is fetched from a network."""
    from asn1crypto.x509 import Certificate
    from cryptography.hazmat.primitives.serialization import Encoding
    from pyhanko_certvalidator import ValidationContext

    roots = [Certificate.load(root.public_bytes(Encoding.DER)) for root in trusted]
    return ValidationContext(trust_roots=roots, allow_fetching=False, moment=moment)
