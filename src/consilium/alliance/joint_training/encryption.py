"""Sums under encryption: the server adds what it cannot read (CKKS, through TenSEAL).

Cheon, Kim, Kim and Song 2017, "Homomorphic encryption for arithmetic of approximate numbers", ASIACRYPT. The hospitals
share a key that comes with their start-up kits (NVIDIA FLARE's HEBuilder makes it); the server has none. A vector
travels in pieces of as many numbers as a ciphertext holds; numbers come back with an error near 1e-6.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from consilium.alliance.joint_training.descent import Array
from consilium.errors import InputError, MissingExtra

SLOTS = 4096
"""Numbers in a ciphertext of FLARE's context: half of its polynomial degree, 8192."""
_MOST_BYTES = 1 << 20
"""Of one piece; those of this context have about 330 KB."""


class Cipher:
    """Encrypts, adds and decrypts with one context.

    Args:
        context: serialised, with the secret key at a hospital, without at the server.

    Raises:
        MissingExtra: TenSEAL is not installed.
    """

    def __init__(self, context: bytes) -> None:
        self._library = _tenseal()
        self._context = self._library.context_from(context)

    def encrypt(self, vector: Array) -> list[bytes]:
        """The pieces of a vector."""
        return [
            bytes(self._library.ckks_vector(self._context, vector[at : at + SLOTS].tolist()).serialize())
            for at in range(0, len(vector), SLOTS)
        ]

    def add(self, several: list[list[bytes]]) -> list[bytes]:
        """The sum, piece by piece.

        Raises:
            InputError: a piece is no ciphertext of this context.
        """
        found = []
        for pieces in zip(*several, strict=True):
            total = self._read(pieces[0])
            for piece in pieces[1:]:
                total = total + self._read(piece)
            found.append(bytes(total.serialize()))
        return found

    def decrypt(self, pieces: list[bytes], length: int) -> Array:
        """The vector; only where the secret key is.

        Raises:
            InputError: it is none of this context, or shorter than asked for.
        """
        found = np.concatenate([np.asarray(self._read(piece).decrypt(), np.float64) for piece in pieces])
        if len(found) != length:
            raise InputError(f"a sum of {len(found)} numbers came where {length} were expected")
        return np.asarray(found, np.float64)

    def refuse(self, pieces: object, length: int) -> str:
        """Why something is no encrypted vector of this length; empty where it is one."""
        if not isinstance(pieces, list) or not all(isinstance(one, bytes) for one in pieces):
            return "not encrypted"
        if len(pieces) != -(-length // SLOTS):
            return "wrong shape"
        if any(len(one) > _MOST_BYTES for one in pieces):
            return "too large"
        try:
            sizes = [self._read(one).size() for one in pieces]
        except InputError:
            return "not encrypted with the study's key"
        return "" if sum(sizes) == length else "wrong shape"

    def _read(self, piece: bytes) -> Any:
        try:
            return self._library.ckks_vector_from(self._context, piece)
        except (ValueError, RuntimeError, TypeError) as problem:
            raise InputError(f"a piece of a sum is no ciphertext of this study ({problem})") from problem


def new_context() -> tuple[bytes, bytes]:
    """A context for hospitals (with the secret key) and for a server, as FLARE's HEBuilder makes them."""
    library = _tenseal()
    context = library.context(
        library.SCHEME_TYPE.CKKS, poly_modulus_degree=2 * SLOTS, coeff_mod_bit_sizes=[60, 40, 40],
        encryption_type=library.ENCRYPTION_TYPE.SYMMETRIC,
    )  # fmt: skip
    context.generate_relin_keys()
    context.global_scale = 2**40
    hospital = context.serialize(save_public_key=True, save_secret_key=True, save_galois_keys=False)
    server = context.serialize(save_public_key=False, save_secret_key=False, save_galois_keys=False)
    return bytes(hospital), bytes(server)


def cipher_in(kit: Path, *, server: bool) -> Cipher:
    """The cipher of a start-up kit.

    Raises:
        InputError: the kit has no context.
        MissingExtra: TenSEAL is not installed.
    """
    path = kit / "startup" / ("server_context.tenseal" if server else "client_context.tenseal")
    try:
        return Cipher(path.read_bytes())
    except OSError as problem:
        raise InputError(
            "the start-up kit has no key for encryption", where=str(path), way_out="Start the study anew."
        ) from problem


def _tenseal() -> Any:
    try:
        import tenseal
    except ImportError as problem:
        raise MissingExtra(
            "sums under encryption need TenSEAL", way_out="Install it: pip install 'consilium[joint]'."
        ) from problem
    return tenseal
