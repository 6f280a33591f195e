"""电子证照标识 (GB/T 36904) of a certificate, beside our own number, if the settings have the codes for it.

`1.2.156.3005.2` · type code (18 characters of the body that owns the type, 3 digits) · issuer's 统一社会信用代码 ·
serial · version (3 digits) · check character, ISO 7064 Mod 37,36 over the four parts (tested with published ones).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stdnum.iso7064 import mod_37_36

ROOT = "1.2.156.3005.2"
VERSION = "001"  # a certificate never changes: a new one has a new number
TYPE = re.compile(r"[0-9A-Z]{18}\d{3}", re.ASCII)
ISSUER = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}", re.ASCII)  # 统一社会信用代码 (GB 32100)


@dataclass(frozen=True)
class LicenceCodes:
    """The type code of these certificates, and the code of each province's authority; "" and {}: no identifier."""

    type_code: str = ""
    issuers: Mapping[str, str] = field(default_factory=dict)

    def identifier(self, number: str) -> str | None:
        """The identifier of the certificate with this number; None without codes for its province."""
        issuer = self.issuers.get(f"{number[1:3]}0000")
        if not (self.type_code and issuer):
            return None
        return identifier(self.type_code, issuer, number)


def identifier(type_code: str, issuer: str, serial: str, version: str = VERSION) -> str:
    """The identifier with its check character."""
    parts = (type_code, issuer, serial, version)
    return ".".join((ROOT, *parts, mod_37_36.calc_check_digit("".join(parts))))
