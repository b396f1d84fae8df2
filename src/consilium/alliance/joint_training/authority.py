"""Keys of a study: its certificate authority at the lead, and the key of each hospital, which stays at the hospital.

Form and strength are FLARE's (RSA 2048, X.509, a year), since FLARE's connections are what they are for. The authority
certifies a public key under a hospital's pseudonym without ever seeing the private one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.alliance.joint_training.membership import write_private
from consilium.errors import InputError, MissingExtra, NotTrusted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import PSS
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from cryptography.x509 import Certificate

NAME = "study"
"""Of FLARE's project, and so of the authority."""
_KEY, _CERTIFICATE = "authority.key", "authority.pem"
_DAYS = 360
"""FLARE's own; it takes no authority of another length."""
_STRENGTHS = (2048, 3072, 4096)


def need_flare() -> None:
    """See that NVIDIA FLARE is installed.

    Raises:
        MissingExtra: it is not.
    """
    from importlib.util import find_spec

    if find_spec("nvflare") is None:
        raise MissingExtra("joint training needs NVIDIA FLARE", way_out="Install it: pip install 'consilium[joint]'.")


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The certificate authority of a study.

    Attributes:
        key: private, PEM; never leaves the lead's installation.
        certificate: PEM; goes to every hospital.
    """

    key: str
    certificate: str

    def certify(self, site: str, public_key: str) -> str:
        """A certificate, PEM, that the holder of a key is a hospital of the study.

        Raises:
            InputError: it is no key of FLARE's kind.
        """
        from nvflare.lighter.utils import Identity, generate_cert, serialize_cert

        made = generate_cert(
            Identity(site, site.replace("-", "_")), Identity(NAME), _private(self.key), _public(public_key),
            not_valid_after=_certificate(self.certificate).not_valid_after_utc,
        )  # fmt: skip
        return str(serialize_cert(made).decode())


def authority_in(folder: Path) -> Authority:
    """The authority of the study in a folder; made where there is none."""
    need_flare()
    key, certificate = folder / _KEY, folder / _CERTIFICATE
    if not key.is_file() or not certificate.is_file():
        from nvflare.lighter.utils import Identity, generate_cert, serialize_cert

        private = _private(made := new_key())
        of = generate_cert(Identity(NAME), Identity(NAME), private, private.public_key(), valid_days=_DAYS, ca=True)
        write_private(key, made.encode())
        write_private(certificate, serialize_cert(of))
    return Authority(key=key.read_text(encoding="ascii"), certificate=certificate.read_text(encoding="ascii"))


def new_key() -> str:
    """A new private key, PEM."""
    need_flare()
    from nvflare.lighter.utils import generate_keys, serialize_pri_key

    return str(serialize_pri_key(generate_keys()[0]).decode())


def public_key_of(key: str) -> str:
    """The public key of a private one or of a certificate, PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = _certified(key) if "CERTIFICATE" in key else _private(key).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def fingerprint(public: str) -> str:
    """SHA-256 of a public key or of a certificate's, in groups of four as people read them to each other."""
    digest = hashlib.sha256(_der(public)).hexdigest()
    return " ".join(digest[at : at + 4] for at in range(0, 64, 4))


def sign(key: str, content: bytes) -> bytes:
    """The signature of a private key (RSA-PSS, SHA-256)."""
    from cryptography.hazmat.primitives import hashes

    return _private(key).sign(content, _pss(), hashes.SHA256())


def refuse_forged(public: str, content: bytes, signature: bytes, *, what: str) -> None:
    """Hold a signature against a public key or a certificate.

    Raises:
        NotTrusted: it is of another key or of other content.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes

    try:
        _public(public_key_of(public) if "CERTIFICATE" in public else public).verify(
            signature, content, _pss(), hashes.SHA256()
        )
    except InvalidSignature as problem:
        raise NotTrusted(
            f"{what} was changed, or is of somebody else", way_out="Have it sent again, by another way."
        ) from problem


def refuse_foreign(certificate: str, *, authority: str, site: str, public_key: str) -> None:
    """See that a certificate is for a hospital of the study, its key, and now.

    Args:
        certificate: PEM.
        authority: certificate of the study's authority.
        site: pseudonym of the hospital.
        public_key: of the key that lies at the hospital.

    Raises:
        NotTrusted: it is not; the message says in what.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import NameOID

    found, of = _certificate(certificate), _certificate(authority)
    try:
        found.verify_directly_issued_by(of)
    except (InvalidSignature, ValueError, TypeError) as problem:
        raise NotTrusted("the certificate is of another authority than the study's") from problem
    names = [one.value for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [site]:
        raise NotTrusted(f"the certificate is for another hospital than {site}")
    if _der(certificate) != _der(public_key):
        raise NotTrusted(
            "the certificate is for another key than the one here", way_out="Make a new `consilium study request`."
        )
    if not found.not_valid_before_utc <= datetime.now(UTC) < found.not_valid_after_utc:
        raise NotTrusted("the certificate does not hold now", way_out="Look at the clock, or ask for a new invitation.")


def _pss() -> PSS:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def _der(public: str) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    found = _certified(public) if "CERTIFICATE" in public else _public(public)
    return found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _private(pem: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as problem:
        raise InputError("a private key of the study is damaged", way_out="Make a new one.") from problem
    assert isinstance(found, RSAPrivateKey)
    return found


def _public(pem: str) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return _sound(load_pem_public_key(pem.encode()))
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise InputError("there is no public key of FLARE's kind in it") from problem


def _certificate(pem: str) -> Certificate:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(pem.encode())
    except (ValueError, TypeError) as problem:
        raise InputError("there is no certificate in it") from problem


def _certified(pem: str) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return _sound(_certificate(pem).public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise InputError("there is no public key of FLARE's kind in the certificate") from problem


def _sound(key: object) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if not isinstance(key, RSAPublicKey) or key.key_size not in _STRENGTHS or key.public_numbers().e != 65537:
        raise ValueError("no RSA key of 2048 to 4096 bits")
    return key
