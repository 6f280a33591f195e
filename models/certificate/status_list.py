"""状态名单: the signed list of revoked certificates of a province and year, for verification without the register.

It discloses only what 查验 shows for a known number: whether it was revoked. A number that was never issued has the
same bit as a valid one, and the length is only an upper bound of the count (read by check_code.py).
"""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock, workflow
from models.application import Application
from models.certificate import Certificate
from models.codes import authority_of, names_of
from models.numbering import Serial, certificate_series
from models.signing.keys import Keys

FEWEST = 131_072  # bits, by W3C Bitstring Status List 1.0: a short list would disclose the number of certificates
FIRST_YEAR = 2016  # of 联合公告 2016 年第 2 号
PERIOD = 300  # seconds to which the time in a list is rounded, so that unchanged lists are identical


@dataclass(frozen=True)
class Publisher:
    """The signing keys, our public address, and the days of validity of a list."""

    keys: Keys
    base: str
    days: int

    def make(self, session: Session, province: str, year: int) -> str:
        """The list of a province (six digits) and year, as of now; raises Refused without its keys."""
        key = self.keys.code_key(province)
        subject = {
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "province": province,
            "year": year,
            "encodedList": "u" + _text(gzip.compress(bitstring(session, province, year), mtime=0)),
        }
        body = {"credentialSubject": subject} | self._head(province, year)
        head = {"alg": "EdDSA", "typ": "vc+jwt"}
        signing_input = ".".join(
            _text(json.dumps(part, ensure_ascii=False, sort_keys=True).encode()) for part in (head, body)
        )
        return f"{signing_input}.{_text(key.sign(signing_input.encode()))}"

    def _head(self, province: str, year: int) -> dict[str, object]:
        made = datetime.fromtimestamp(clock.now().timestamp() // PERIOD * PERIOD, clock.SHANGHAI)
        return {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "id": f"{self.base}/status/{province}/{year}",
            "issuer": {"id": self.base, "name": authority_of(province)},
            "validFrom": made.isoformat(),
            "validUntil": (made + timedelta(days=self.days)).isoformat(),
        }


def bitstring(session: Session, province: str, year: int) -> bytes:
    """One bit for each serial number, set if the certificate is revoked; number 0 does not exist."""
    series = certificate_series(province)
    last = session.scalar(select(Serial.last).where(Serial.series == series, Serial.year == year)) or 0
    size = FEWEST
    while size <= last:
        size *= 2
    bits = bytearray(size // 8)
    of_year = (Certificate.number > f"{series}{year}") & (Certificate.number < f"{series}{year + 1}")  # by the index
    ended = Certificate.application.has(Application.status.not_in(workflow.VALID))
    for number in session.scalars(select(Certificate.number).where(of_year, ended)):
        byte, bit = divmod(int(number[7:13]), 8)
        bits[byte] |= 128 >> bit
    return bytes(bits)


def issued(session: Session) -> Iterator[tuple[str, int]]:
    """(province, year) of every series of certificates, in order."""
    provinces = {certificate_series(province): province for province in names_of("province")}
    for series, year in session.execute(select(Serial.series, Serial.year).order_by(Serial.series, Serial.year)):
        if series in provinces:
            yield provinces[series], year


def is_published(province: str, year: int) -> bool:
    """Whether a list exists for this province and year; also true when nothing was issued then."""
    return province in names_of("province") and FIRST_YEAR <= year <= clock.today().year


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
