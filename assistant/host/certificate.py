"""A certificate that signs itself, so that passwords travel encrypted from the first day on. Browsers warn of it.

A company's own certificate takes its place in the same two files; nginx is then told to reload.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assistant.errors import HostError, Text

CERTIFICATE, KEY = "certificate.pem", "key.pem"
LONGEST_DAYS = 825
"""What Apple's systems accept of a certificate that a person trusts by hand."""
HOST_NAME = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
BACKDATED = timedelta(hours=1)
"""For machines whose clock is behind."""


@dataclass(frozen=True)
class Made:
    """Where the two files are, and until when they hold."""

    certificate: Path
    key: Path
    names: tuple[str, ...]
    ends_at: datetime


def make_certificate(folder: Path, names: Sequence[str], *, days: int, replace: bool = False) -> Made:
    """Writes `certificate.pem` and `key.pem` (mode 600) into the folder.

    Raises HostError if they are there already and `replace` is not said, or a name is none.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if (certificate.exists() or key.exists()) and not replace:
        raise HostError(
            Text(ja=f"{folder} には証明書がもうあります。", en=f"There is a certificate in {folder} already."),
            Text(
                ja="取り替えるなら --replace を付けてください。今の鍵は失われます。",
                en="To replace it, add --replace. The present key is lost.",
            ),
        )
    private = ec.generate_private_key(ec.SECP256R1())
    signed = _signed(private, [_general_name(name) for name in names], names[0], days=days)
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(parents=True, exist_ok=True)
    _write(key, secret, mode=0o600)
    _write(certificate, signed.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return Made(certificate, key, tuple(names), signed.not_valid_after_utc)


def _signed(
    private: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], shown: str, *, days: int
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown[:64])])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        encoded = name.encode("idna").decode()
    except UnicodeError as error:
        raise _no_name(name) from error
    if not HOST_NAME.fullmatch(encoded):
        raise _no_name(name)
    return x509.DNSName(encoded)


def _no_name(name: str) -> HostError:
    return HostError(
        Text(ja=f"{name!r} はホスト名でも IP アドレスでもありません。", en=f"{name!r} is no host name or address."),
        Text(
            ja="社員がブラウザーに打つ名前を --name に書いてください。例: assistant.example.co.jp",
            en="Give --name the name that people type into the browser, e.g. assistant.example.com",
        ),
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """In one step and never readable by more people than in the end."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
    new.replace(path)
