"""The keys of the authorities: who signs papers, messages and check codes, and whom we trust (电子签名法 第十三条).

A folder holds, for each province by its code: `320000.p12`, certificate and key that sign papers and messages, and
`320000.key`, the Ed25519 key (PEM) that signs check codes; or `320000.token`, which says in which token both lie
(strongbox.py). Beside them `320000*.pub`, the public keys of codes, former ones too, and the roots, as `*.crt` (PEM).
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from flask_babel import gettext as _

from models import check_code, clock, signature, strongbox
from models.check_code import CodeKey, PublicKey
from models.codes import authority_of
from models.workflow import Refused

if TYPE_CHECKING:  # a second to load, which only those wait for who sign
    from pyhanko.sign.signers import Signer as Hand

log = logging.getLogger(__name__)
Stamp = frozenset[tuple[str, int, int, int]]


@dataclass(frozen=True)
class Signer:
    """What one authority signs with. `hand` is pyHanko's: over a key file, or a token."""

    name: str
    hand: "Hand"
    code_key: CodeKey


@dataclass(frozen=True)
class Keys:
    """The folder of keys and its passphrase, if the keys have one."""

    folder: Path
    passphrase: str | None = None

    def signer(self, province: str) -> Signer:
        """The keys of a province (six digits), valid today. Raises Refused: nothing is ever issued unsigned (PD4)."""
        who = authority_of(province) or province
        hand, code_key = self._keys_of(province, who)
        valid = hand.signing_cert["tbs_certificate"]["validity"]
        if not valid["not_before"].native <= clock.now() < valid["not_after"].native:
            raise Refused(_("%(who)s的签章证书不在有效期内，不能签发证明，请联系系统管理员更换。", who=who))
        name = signature.name_of(hand.signing_cert, who)
        if name is None:
            raise Refused(_("签章证书写明的单位不是%(who)s，不能签发证明，请联系系统管理员核对。", who=who))
        signer = Signer(name, hand, code_key)
        self._check_that_readers_can(signer, province, who)
        return signer

    def _keys_of(self, province: str, who: str) -> "tuple[Hand, CodeKey]":
        token, file, code_file = (self.folder / f"{province}.{kind}" for kind in ("token", "p12", "key"))
        try:
            if token.is_file():
                return strongbox.opened(token, self.passphrase)
            if file.is_file() and code_file.is_file():
                return _opened(file, code_file, self.passphrase, self._stamp())
        except (ValueError, TypeError, OSError, UnsupportedAlgorithm) as why:
            log.warning("keys of %s: %s", province, why)
            raise Refused(_("%(who)s的签章密钥无法打开，请联系系统管理员核对密钥和口令。", who=who)) from None
        raise Refused(_("尚未配置%(who)s的签章密钥，不能签发证明，请联系系统管理员。", who=who))

    def _check_that_readers_can(self, signer: Signer, province: str, who: str) -> None:
        """Raises Refused when what is signed could be verified by nobody, judged as its readers will judge it."""
        if (province, signer.code_key.public_key()) not in self.code_keys():
            raise Refused(_("%(who)s的二维码公钥缺失或与私钥不符，不能签发证明，请联系系统管理员补齐。", who=who))
        try:
            _tried(self, signer.hand.signing_cert.dump(), self._stamp(), signer)
        except Exception as why:  # whatever the hand or the judge meets, nothing must be signed so
            log.warning("keys of %s: %s", province, why)
            raise Refused(
                _(
                    "%(who)s的签章证书不是由受信任的根证书签发，或不能用于签章，不能签发证明，请联系系统管理员核对。",
                    who=who,
                )
            ) from None

    def missing(self, provinces: Iterable[str]) -> list[str]:
        """Which of these provinces (six digits) lack a file that signing needs. Raises OSError where the folder is
        gone or cannot be read; nothing is opened or tried."""
        there = {file.name for file in self.folder.iterdir()}
        needed = {
            each: ({f"{each}.token"} <= there or {f"{each}.p12", f"{each}.key"} <= there) and f"{each}.pub" in there
            for each in provinces
        }
        return sorted(each for each, complete in needed.items() if not complete)

    def trusted(self) -> list[x509.Certificate]:
        """The roots that signatures must lead to; a file that is broken stops no other."""
        return _roots(self.folder, self._stamp())

    def code_keys(self) -> list[tuple[str, PublicKey]]:
        """Every public key of check codes, present and former, with the province (six digits) it speaks for."""
        return _code_keys(self.folder, self._stamp())

    def _stamp(self) -> Stamp:
        """What the folder holds: whoever replaces a file has it read again."""
        return frozenset(_marks(self.folder))


def _marks(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    for file in folder.iterdir() if folder.is_dir() else ():
        kept = file.stat()
        yield file.name, kept.st_ino, kept.st_mtime_ns, kept.st_size


@lru_cache
def _roots(folder: Path, _stamp: Stamp) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    for file in sorted(folder.glob("*.crt")):
        try:
            found += x509.load_pem_x509_certificates(file.read_bytes())
        except (ValueError, OSError) as why:
            log.warning("%s is left out: %s", file, why)
    return found


@lru_cache
def _code_keys(folder: Path, _stamp: Stamp) -> list[tuple[str, PublicKey]]:
    return list(check_code.laid_out(folder))


@lru_cache
def _opened(file: Path, code_file: Path, passphrase: str | None, _stamp: Stamp) -> "tuple[Hand, CodeKey]":
    from pyhanko.sign.signers import SimpleSigner

    secret = passphrase.encode() if passphrase else None
    hand = SimpleSigner.load_pkcs12(file, passphrase=secret)
    if hand is None:
        raise ValueError("not a PKCS#12 file, or another passphrase")
    code_key = load_pem_private_key(code_file.read_bytes(), secret)
    if not isinstance(code_key, Ed25519PrivateKey):
        raise ValueError("the key of codes is not of Ed25519")
    return hand, code_key


def _tried(keys: Keys, certificate: bytes, stamp: Stamp, signer: Signer) -> None:
    """Sign something and judge it, once a day for these files; raises Refused as any reader would."""
    tried = (keys, certificate, stamp)
    if _TRIED.get(tried) != clock.today():  # a certificate between ours and the root ends, too
        data = b"tried"
        signature.cms_signer(signature.cms(signer, data), data, keys.trusted(), clock.now())
        _TRIED[tried] = clock.today()


_TRIED: dict[tuple[Keys, bytes, Stamp], date] = {}
