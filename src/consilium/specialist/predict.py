"""Cases in, one answer each out, by a specialist in a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import Embedded, NotEmbedded, Outcome, embed_files
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.specialist.case_features import one_vector
from consilium.specialist.specialist import Answer, Specialist

_CHUNK = 64
"""Cases between two answers; what was answered is out before the next are read."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One case's answer.

    Attributes:
        name: the file, or the name of a case of several files.
        files: how many of it could be used.
        answer: what the specialist says.
    """

    name: str
    files: int
    answer: Answer


def predict(
    specialist: Specialist,
    encoder: Encoder,
    entries: Sequence[Entry],
    *,
    by_group: bool = False,
    cache: FeatureCache | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> Iterator[Answered | NotEmbedded]:
    """Answer about cases, in their order.

    Args:
        specialist: who answers.
        encoder: of it, see `encoder_of`.
        entries: the files.
        by_group: files of one group are one case, not each its own.
        cache: of features.
        on_outcome: called for each file when its features are there.

    Yields:
        Why a file could not be used, and the answer to each case with a file that could.

    Raises:
        ModelError: the encoder fails.
    """
    members: dict[str, list[Entry]] = {}
    for number, entry in enumerate(entries):
        # All pictures are read as the specialist's training cases were, whatever a manifest says of one.
        key = entry.group if by_group and entry.group else f"{number} {entry.file}"
        members.setdefault(key, []).append(replace(entry, modality=""))
    cases = list(members.values())
    for start in range(0, len(cases), _CHUNK):
        part = cases[start : start + _CHUNK]
        outcomes = iter(
            embed_files(
                [entry for case in part for entry in case], encoder, modality=specialist.modality,
                side=specialist.side, cache=cache, on_outcome=on_outcome,
            )
        )  # fmt: skip
        for case in part:
            read: list[Embedded] = []
            for outcome in (next(outcomes) for _ in case):
                if isinstance(outcome, NotEmbedded):
                    yield outcome
                else:
                    read.append(outcome)
            if read:
                row = one_vector(np.concatenate([one.image for one in read]), specialist.pooling)
                name = case[0].group if len(case) > 1 else case[0].file
                yield Answered(name=name, files=len(read), answer=specialist.answers(row[None])[0])
