"""The sums of a study so far, on the disk, each bound to the one before: what a round resumes from.

The server keeps them before it hands them out, a hospital as it gets them. A sum that was added under encryption is
kept as it is; nobody can read it without the hospitals' key.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from consilium.alliance.joint_training.descent import Array
from consilium.alliance.joint_training.training import Ask
from consilium.errors import InputError

Content = Array | list[bytes]
START = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Step:
    """One sum as it travels.

    Attributes:
        ask: what was asked.
        sites: who answered.
        content: the sum, (n,) float64, or the pieces of an encrypted one.
    """

    ask: Ask
    sites: tuple[str, ...]
    content: Content

    @property
    def digest(self) -> str:
        """SHA-256 of everything in it."""
        found = hashlib.sha256(f"{self.ask.kind} {self.ask.round} {' '.join(self.sites)} ".encode())
        for piece in _pieces(self.content):
            found.update(len(piece).to_bytes(8, "big") + piece)
        return found.hexdigest()


def _pieces(content: Content) -> list[bytes]:
    return content if isinstance(content, list) else [np.asarray(content, np.float64).tobytes()]


class Course:
    """The steps in a folder.

    Args:
        folder: made where there is none, for its owner alone.

    Raises:
        InputError: a step there is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._chain = [START]
        for number in range(len(list(folder.glob("*.step")))):
            self._chain.append(_linked(self._chain[-1], self.step(number)))

    def __len__(self) -> int:
        return len(self._chain) - 1

    @property
    def head(self) -> str:
        """Digest of all steps."""
        return self._chain[-1]

    def chain(self, number: int) -> str:
        """Digest of the first steps."""
        return self._chain[number]

    def step(self, number: int) -> Step:
        """One step, from 0.

        Raises:
            InputError: it is not there, or damaged.
        """
        path = self._path(number)
        try:
            raw = path.read_bytes()
            length = int.from_bytes(raw[:8], "big")
            told = json.loads(raw[8 : 8 + length])
            rest, pieces = raw[8 + length :], []
            for size in told["sizes"]:
                pieces.append(rest[:size])
                rest = rest[size:]
            content: Content = pieces if told["encrypted"] else np.frombuffer(pieces[0], np.float64)
            return Step(ask=Ask(kind=told["kind"], round=told["round"]), sites=tuple(told["sites"]), content=content)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as problem:
            raise InputError(
                f"the sums of the study are damaged ({problem})", where=str(path), way_out="Start the study anew."
            ) from problem

    def add(self, step: Step) -> None:
        """Keep one more; it is on the disk when this returns."""
        pieces = _pieces(step.content)
        told = {
            "kind": step.ask.kind, "round": step.ask.round, "sites": list(step.sites),
            "sizes": [len(one) for one in pieces], "encrypted": isinstance(step.content, list),
        }  # fmt: skip
        header = json.dumps(told).encode()
        path = self._path(len(self))
        half = path.with_suffix(".half")
        with open(half, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            stream.write(len(header).to_bytes(8, "big") + header + b"".join(pieces))
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(path)
        self._chain.append(_linked(self.head, step))

    def begin_again(self) -> None:
        """Forget all steps; those of another try of the study."""
        for number in reversed(range(len(self))):
            self._path(number).unlink()
        self._chain = [START]

    def _path(self, number: int) -> Path:
        return self._folder / f"{number + 1:05d}.step"


def _linked(before: str, step: Step) -> str:
    return hashlib.sha256(f"{before} {step.digest}".encode()).hexdigest()
