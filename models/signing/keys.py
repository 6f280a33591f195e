"""The authorities' keys, which sign papers, messages and check codes, and the trusted roots (电子签名法 第十三条).

The folder holds for each province, by its six-digit code: `320000.p12`, certificate and key that sign papers and
messages, and `320000.key`, the Ed25519 key (PEM) that signs check codes; or `320000.token`, which names the PKCS#11
token with both (hardware_token.py). Also `320000*.pub`, the public keys of codes, former ones included, and the
root certificates, `*.crt` (PEM), and the revocation lists, `320000*.crl` (revocation.py).
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from flask_babel import gettext as _

from models import clock
from models.codes import authority_of
from models.signing import hardware_token, public_files, revocation, signatures
from models.signing.check_code import PublicKey
from models.signing.public_files import FileStats
from models.signing.revocation import Lists
from models.signing.signed_code import CodeKey
from models.signing.time_stamps import TimeStampAuthority
from models.workflow import Refused

if TYPE_CHECKING:  # pyHanko takes a second to load: imported only where something is signed
    from pyhanko.sign.signers import Signer as PyHankoSigner

log = logging.getLogger(__name__)
# Certificate policy (RFC 5280, 4.2.1.4) of keys without legal force; an identifier of our own (X.667).
DEMO_POLICY = "2.25.291194285279621343918499681860840834947"


@dataclass(frozen=True)
class Signer:
    """The keys of one authority, in files or in a token; `name` is that of its certificate.

    `demo`: the certificate says by its policy that the signature has no legal force.
    """

    name: str
    demo: bool
    pyhanko_signer: "PyHankoSigner"  # signs papers and messages
    code_key: CodeKey


@dataclass(frozen=True)
class Keys:
    """The folder of keys, the passphrase of its keys or PIN of its tokens, and the time stamp authority, if any."""

    folder: Path
    passphrase: str | None = None
    time_stamps: TimeStampAuthority | None = None

    def signer(self, province: str) -> Signer:
        """The keys of a province (six digits), valid today and verifiable by readers.

        Raises Refused when they are missing, expired, revoked or unusable: nothing is issued unsigned (PD4).
        """
        who = authority_of(province) or province
        pyhanko_signer, code_key = self._load(province, who)
        certificate = pyhanko_signer.signing_cert
        valid = certificate["tbs_certificate"]["validity"]
        if not valid["not_before"].native <= clock.now() < valid["not_after"].native:
            raise Refused(_("%(who)s的签章证书不在有效期内，不能签发证明，请联系系统管理员更换。", who=who))
        name = signatures.name_for(certificate, who)
        if name is None:
            raise Refused(_("签章证书写明的单位不是%(who)s，不能签发证明，请联系系统管理员核对。", who=who))
        signer = Signer(name, _has_demo_policy(certificate), pyhanko_signer, code_key)
        self._check_verifiable(signer, province, who)
        self._check_not_revoked(pyhanko_signer, province, who)
        return signer

    def _check_not_revoked(self, signer: "PyHankoSigner", province: str, who: str) -> None:
        lists: Lists = ()
        for file in revocation.files_beside(self.folder, province):
            if not (found := revocation.lists_in([file])):  # it may have named the certificate
                words = _("吊销列表 %(file)s 不能读取，暂不能签发证明，请联系系统管理员更新。", file=file.name)
                raise Refused(words)
            lists += found
        if revocation.is_revoked(self._certificates(signer), lists):
            raise Refused(_("%(who)s的签章证书已被吊销，不能签发证明，请联系系统管理员更换。", who=who))

    def check_lists(self, province: str) -> None:
        """Raises Refused when the province has files of revocation lists, but none that is current and decides."""
        files, who = revocation.files_beside(self.folder, province), authority_of(province) or province
        certificates = self._certificates(self._load(province, who)[0])
        if files and not revocation.is_covered(certificates, revocation.lists_in(files)):
            raise Refused(
                _(
                    "%(who)s的签章证书没有有效的吊销列表（%(file)s），证明暂不制作，稍后自动重试。请更新吊销列表。",
                    who=who,
                    file=files[0].name,
                )
            )

    def embedded_lists(self, province: str) -> Lists:
        """The revocation lists that papers of this province contain (PAdES B-LT); none unless there are lists both for
        the signer and for the time stamp authority."""
        lists, authority = self._lists(province), self.time_stamps
        if not lists or authority is None or authority.revoked is None:
            return ()
        return lists + revocation.lists_in([authority.revoked])

    def _lists(self, province: str) -> Lists:
        return revocation.lists_in(revocation.files_beside(self.folder, province))

    def _certificates(self, signer: "PyHankoSigner") -> Iterator[x509.Certificate]:
        """The certificate of the signer, then those that may be above it."""
        for certificate in (signer.signing_cert, *signer.cert_registry):
            yield x509.load_der_x509_certificate(certificate.dump())
        yield from self.trusted()

    def code_key(self, province: str) -> CodeKey:
        """The key of check codes and lists, whether or not the certificate beside it has ended; raises Refused."""
        who = authority_of(province) or province
        code_key = self._load(province, who)[1]
        self._check_published(code_key, province, who)
        return code_key

    def _load(self, province: str, who: str) -> "tuple[PyHankoSigner, CodeKey]":
        token, file, code_file = (self.folder / f"{province}.{kind}" for kind in ("token", "p12", "key"))
        try:
            if token.is_file():
                return hardware_token.load(token, self.passphrase)
            if file.is_file() and code_file.is_file():
                return _load_files(file, code_file, self.passphrase, self.file_stats())
        except (ValueError, TypeError, OSError, UnsupportedAlgorithm) as why:
            log.warning("keys of %s: %s", province, why)
            raise Refused(_("%(who)s的签章密钥无法打开，请联系系统管理员核对密钥和口令。", who=who)) from None
        raise Refused(_("尚未配置%(who)s的签章密钥，不能签发证明，请联系系统管理员。", who=who))

    def _check_verifiable(self, signer: Signer, province: str, who: str) -> None:
        """Raises Refused when the signatures of `signer` cannot be verified with our public keys and roots."""
        self._check_published(signer.code_key, province, who)
        try:
            _check_signature(self, signer.pyhanko_signer.signing_cert.dump(), self.file_stats(), signer)
        except Exception as why:  # any signing or validation error makes this key unusable; issuing is refused
            log.warning("keys of %s: %s", province, why)
            raise Refused(
                _(
                    "%(who)s的签章证书不是由受信任的根证书签发，或不能用于签章，不能签发证明，请联系系统管理员核对。",
                    who=who,
                )
            ) from None

    def _check_published(self, code_key: CodeKey, province: str, who: str) -> None:
        if (province, code_key.public_key()) not in self.code_keys():
            raise Refused(_("%(who)s的二维码公钥缺失或与私钥不符，不能签发证明，请联系系统管理员补齐。", who=who))

    def missing(self, provinces: Iterable[str]) -> list[str]:
        """Which of these provinces (six digits) lack a file needed to sign; the files are not opened.

        Raises OSError when the folder is missing or unreadable.
        """
        there = {file.name for file in self.folder.iterdir()}
        needed = {
            each: ({f"{each}.token"} <= there or {f"{each}.p12", f"{each}.key"} <= there) and f"{each}.pub" in there
            for each in provinces
        }
        return sorted(each for each, complete in needed.items() if not complete)

    def trusted(self) -> list[x509.Certificate]:
        """The trusted root certificates; an unreadable file or folder is logged and skipped."""
        return self.read_trusted()[0]

    def read_trusted(self) -> tuple[list[x509.Certificate], bool]:
        """The trusted root certificates, and whether all could be read."""
        return public_files.roots_in(self.folder)

    def stampers(self) -> list[x509.Certificate]:
        """The roots of the time stamp authority; none without one, or where their file cannot be read (logged)."""
        try:
            return self.time_stamps.trusted() if self.time_stamps else []
        except (ValueError, OSError, x509.InvalidVersion) as why:
            log.warning("the roots of the time stamp authority cannot be read: %s", why)
            return []

    def code_keys(self) -> list[tuple[str, PublicKey]]:
        """(province of six digits, public key) of every key of check codes, current and former."""
        return self.read_code_keys()[0]

    def read_code_keys(self) -> tuple[list[tuple[str, PublicKey]], bool]:
        """The keys of check codes, and whether all could be read: only then a code of none of them is forged."""
        return public_files.code_keys_in(self.folder)

    def file_stats(self) -> FileStats:
        """Cache key of what is read from the folder: a replaced file is read again. Raises OSError."""
        return public_files.file_stats(self.folder)


def _has_demo_policy(certificate: Any) -> bool:
    policies = certificate.certificate_policies_value or ()
    return any(policy["policy_identifier"].dotted == DEMO_POLICY for policy in policies)


@lru_cache
def _load_files(
    file: Path, code_file: Path, passphrase: str | None, _file_stats: FileStats
) -> "tuple[PyHankoSigner, CodeKey]":
    from pyhanko.sign.signers import SimpleSigner

    secret = passphrase.encode() if passphrase else None
    signer = SimpleSigner.load_pkcs12(file, passphrase=secret)
    if signer is None:
        raise ValueError("not a PKCS#12 file, or another passphrase")
    code_key = load_pem_private_key(code_file.read_bytes(), secret)
    if not isinstance(code_key, Ed25519PrivateKey):
        raise ValueError("the key of check codes is not an Ed25519 key")
    return signer, code_key


def _check_signature(keys: Keys, certificate: bytes, file_stats: FileStats, signer: Signer) -> None:
    """Sign a sample and verify it, once a day for the same files; raises Refused when that fails."""
    key = (keys, certificate, file_stats)
    if _CHECKED_ON.get(key) != clock.today():  # daily, because an intermediate certificate may expire
        data = b"sample"
        signatures.cms_signer(signatures.cms(signer.pyhanko_signer, data), data, keys.trusted(), clock.now())
        for former in [each for each, day in list(_CHECKED_ON.items()) if day != clock.today()]:
            _CHECKED_ON.pop(former, None)
        _CHECKED_ON[key] = clock.today()


_CHECKED_ON: dict[tuple[Keys, bytes, FileStats], date] = {}
