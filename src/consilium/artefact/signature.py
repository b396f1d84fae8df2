"""Who made a bundle: a signature over all of its files with OpenSSF Model Signing (extra `sign`).

The manifest tells that files were altered, not by whom they were made: whoever alters a file can write a manifest that
fits. A signature needs the private key. Keys are elliptic-curve keys in PEM, as OpenSSL makes them; the signature is a
Sigstore bundle (https://github.com/sigstore/model-transparency), which other tools verify too.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from consilium.artefact.bundle import SIGNATURE
from consilium.errors import MissingExtra, ModelError, OutputError


def need_signing() -> None:
    """Says what to install when model-signing is not there.

    Raises:
        MissingExtra: it is not.
    """
    if find_spec("model_signing") is None or find_spec("OpenSSL") is None:
        raise MissingExtra(
            "model-signing is needed for signatures", way_out="Install it: pip install 'consilium[sign]'."
        )


def sign(folder: Path, key: Path) -> None:
    """Signs every file of a bundle; the signature is put beside its manifest.

    Args:
        folder: of the bundle.
        key: private key, elliptic curve, PEM.

    Raises:
        MissingExtra: model-signing is not installed.
        OutputError: the key cannot be used.
    """
    need_signing()
    import model_signing

    target = folder / SIGNATURE
    try:
        ignoring = model_signing.hashing.Config().set_ignored_paths(paths=[target], ignore_git_paths=False)
        model_signing.signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(ignoring).sign(
            folder, target
        )
    except Exception as problem:
        # Key readers raise whatever they like on what is no key.
        raise OutputError(
            f"the model cannot be signed ({problem})",
            where=str(key),
            way_out="Make a key: openssl ecparam -name prime256v1 -genkey -noout -out key.pem",
        ) from problem


def verify(folder: Path, public_key: Path) -> None:
    """Holds a bundle against its signature.

    Args:
        folder: of the bundle.
        public_key: of who is trusted, elliptic curve, PEM.

    Raises:
        MissingExtra: model-signing is not installed.
        ModelError: not signed, signed by another key, or altered since.
    """
    need_signing()
    import model_signing

    target = folder / SIGNATURE
    if not target.is_file():
        raise ModelError("it is not signed", where=str(folder), way_out="Ask for a signed copy, or leave out the key.")
    try:
        ignoring = model_signing.hashing.Config().set_ignored_paths(paths=[target], ignore_git_paths=False)
        model_signing.verifying.Config().use_elliptic_key_verifier(public_key=public_key).set_hashing_config(
            ignoring
        ).verify(folder, target)
    except Exception as problem:
        raise ModelError(
            f"its signature does not hold ({str(problem)[:120]})",
            where=str(folder),
            way_out="Do not use it: it was altered, or signed with another key.",
        ) from problem
