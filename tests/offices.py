"""Signing keys of an authority, made as its certification authority would deliver them."""

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs12
from cryptography.x509.oid import NameOID

from models import clock


def deliver(
    folder: Path,
    province: str,
    *,
    signs: bool = True,
    root_name: str = "root",
    another_root: bool = False,
    **names: str,
) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    """Keys of a province in `folder`, their certificate naming it by `names`; that may not be for signing papers.

    `another_root` lays out a root of the same name as the one that signed, but with another key.
    """
    folder.mkdir(exist_ok=True)
    subject = x509.Name([x509.NameAttribute(getattr(NameOID, part.upper()), text) for part, text in names.items()])
    above, root_key = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, root_name)]), generate_private_key(SECP256R1())
    laid_out = generate_private_key(SECP256R1()) if another_root else root_key
    root = certified(above, above, laid_out, laid_out)
    key = generate_private_key(SECP256R1())
    leaf = certified(subject, above, key, root_key, signs)
    bundle = pkcs12.serialize_key_and_certificates(b"seal", key, leaf, None, NoEncryption())
    (folder / f"{province}.p12").write_bytes(bundle)
    (folder / f"{province}.crt").write_bytes(root.public_bytes(Encoding.PEM))
    code_key = Ed25519PrivateKey.generate()
    pem = code_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{province}.key").write_bytes(pem)
    public = code_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{province}.pub").write_bytes(public)
    return leaf, key


def certified(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    by: EllipticCurvePrivateKey,
    signs: bool | None = None,
) -> x509.Certificate:
    """A certificate for a key: of a root, of a paper signer (`signs`), or for client authentication only."""
    root = signs is None
    usage = x509.KeyUsage(True, bool(signs), False, False, False, root, root, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(by, SHA256())
    )
