"""演示签章机构: signing keys for the demo, generated when it is first loaded; their names and their policy say 演示."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs12
from cryptography.x509.oid import NameOID
from flask_babel import gettext as _

from models import clock
from models.codes import authority_of
from models.signing.keys import DEMO_POLICY

YEARS = timedelta(days=3650)
PAST = timedelta(days=365)  # demo papers are dated in the past, so the certificates are valid from a year ago
Pair = tuple[x509.Certificate, EllipticCurvePrivateKey]


def establish(folder: Path, provinces: Iterable[str]) -> bool:
    """Create a root and the keys of these provinces (six digits); False, changing nothing, unless `folder` is empty.

    Atomic: after an interruption the folder is still empty, and the next call creates everything.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        return False
    with TemporaryDirectory(dir=folder.parent, prefix="keys-") as temporary:
        new = Path(temporary) / folder.name
        new.mkdir(mode=0o700)
        _fill(new, provinces)
        try:
            new.replace(folder)
        except OSError:
            if any(folder.iterdir()):  # another process was first
                return False
            raise
    return True


def _fill(folder: Path, provinces: Iterable[str]) -> None:
    """Write a root certificate, and certificate and keys of each province, into the folder."""
    moment = clock.now() - PAST
    root = _certificate(_("演示签章根证书（无法律效力）"), moment, None)
    for province in provinces:
        name = _("%(who)s（演示）", who=authority_of(province))
        leaf, key = _certificate(name, moment, root)
        bundle = pkcs12.serialize_key_and_certificates(name.encode(), key, leaf, [root[0]], NoEncryption())
        _write(folder / f"{province}.p12", bundle)
        code_key = Ed25519PrivateKey.generate()
        _write(folder / f"{province}.key", code_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = code_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write(folder / f"{province}.pub", public)
    _write(folder / "root.crt", root[0].public_bytes(Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def _usage(is_root: bool) -> x509.KeyUsage:
    """Key usage: a root signs certificates and revocation lists, an authority signs papers and messages."""
    return x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=not is_root,
        key_cert_sign=is_root,
        crl_sign=is_root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(name: str, moment: datetime, issuer: Pair | None) -> Pair:
    """A new key and its certificate: an authority's, issued by `issuer`, or a root (None)."""
    key, subject = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_certificate, issuer_key = issuer or (None, key)
    is_root = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_certificate.subject if issuer_certificate else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment)
        .not_valid_after(moment + YEARS)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(_usage(is_root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_root:
        policy = x509.PolicyInformation(x509.ObjectIdentifier(DEMO_POLICY), None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
    return builder.sign(issuer_key, SHA256()), key
