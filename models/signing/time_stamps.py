"""Time stamps (RFC 3161) in the signatures of papers, by an authority (TSA) of the settings: PAdES B-T and B-LT."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

TIMEOUT = 20  # seconds
RESERVED = 16_384  # hexadecimal digits for a time stamp with the certificates of its signer


class TimeStampUnavailable(RuntimeError):
    """The authority did not answer, refused, or answered something else."""


@dataclass(frozen=True)
class TimeStampAuthority:
    """Its address (http or https), the PEM file of the roots by which its time stamps are trusted, and the file of
    revocation lists of those who issued its certificates (PEM, or one in DER), if any."""

    address: str
    roots: Path
    revoked: Path | None = None

    def trusted(self) -> list[x509.Certificate]:
        """The roots; raises ValueError or OSError."""
        return x509.load_pem_x509_certificates(self.roots.read_bytes())

    def client(self) -> Any:
        """pyHanko's client, which raises TimeStampUnavailable."""
        from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper

        class Client(RequestsHTTPTimeStamper):
            async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
                try:
                    return await super().async_timestamp(message_digest, md_algorithm)
                except Exception as why:  # parsers raise errors of every kind on other answers
                    raise TimeStampUnavailable(f"{type(why).__name__}: {why}") from None

        return Client(self.address, timeout=TIMEOUT)
