"""What is in a package, and whether it may be used: every file, the signature, the cards, the licences.

A package is a bundle (`artefact.bundle`) with `package.json`, which says under which name and version who hands it on,
and with the signature over all of it. One function, `verify`, stands before publishing, pulling and every run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from consilium.alliance.library.licences import (
    NO_TERMS,
    PLACEHOLDER,
    LicenceRules,
    expression_of,
    forbidding_words,
    outside,
)
from consilium.alliance.library.reference import Version
from consilium.alliance.library.trust import PublicKey
from consilium.artefact.bundle import MANIFEST, SIGNATURE, Bundle, open_bundle
from consilium.artefact.card import ModelCard, read_card
from consilium.artefact.runtime import sha256_of
from consilium.errors import ModelError, NotTrusted

STATEMENT = "package.json"
FORMAT = "consilium package 1"
LICENCE = "LICENSE"
_KINDS = {"specialist.json": "specialist", "karyotype.json": "karyotype"}
"""What kind of model a bundle holds, by the record in it."""
_AGAIN = "Do not use this copy; take it anew: consilium library pull."


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the catalogue says a package is.

    Attributes:
        name, version: of the model.
        publisher: id of the hospital.
        key: that signed it.
        files: SHA-256 of each file, manifest and signature included; empty before it is published.
    """

    name: str
    version: Version
    publisher: str
    key: PublicKey
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A package that may be used.

    Attributes:
        bundle: its files, opened.
        kind: "specialist" or "karyotype".
        cards: of its models, by file name.
        licence: SPDX expression of the whole.
        digest: SHA-256 of its manifest.
    """

    bundle: Bundle
    kind: str
    cards: Mapping[str, ModelCard]
    licence: str
    digest: str

    def files(self) -> dict[str, Path]:
        """Where each file lies, manifest and signature included, by its name in the package."""
        return {name: self.bundle.folder / name for name in (*self.bundle.files, MANIFEST, SIGNATURE)}


def verify(folder: Path, expected: Expected, rules: LicenceRules) -> Contents:
    """Hold a package against what it should be.

    Raises:
        NotTrusted: a file is missing, altered or was added; it is another package, unsigned, or signed with another
            key; it has no card; its licence or that of its data is missing or not let in. The message says which.
        MissingExtra: what verifies signatures is not installed.
    """
    bundle = whole(folder)
    digest = sha256_of(folder / MANIFEST)
    if expected.files and digest != expected.files.get(MANIFEST):
        raise NotTrusted("it is not the package that was published", where=str(folder), way_out=_AGAIN)
    statement = bundle.document(STATEMENT) if STATEMENT in bundle.files else {}
    told = (statement.get("format"), statement.get("name"), statement.get("version"), statement.get("publisher"))
    if told != (FORMAT, expected.name, str(expected.version), expected.publisher):
        raise NotTrusted(
            f"it does not say that it is {expected.name} {expected.version} of {expected.publisher}", where=str(folder),
            way_out=_AGAIN,
        )  # fmt: skip
    _signed(folder, expected.key)
    # The manifest tells of all files but the signature, in which blanks would not matter.
    if expected.files and sha256_of(folder / SIGNATURE) != expected.files.get(SIGNATURE):
        raise NotTrusted("its signature is not the one that was published", where=str(folder), way_out=_AGAIN)
    cards = cards_in(bundle)
    return Contents(
        bundle=bundle, kind=kind_of(bundle), cards=cards, licence=licence_of(bundle, cards, rules), digest=digest
    )


def whole(folder: Path) -> Bundle:
    """A bundle that has every file of its manifest unaltered, and no other.

    Raises:
        NotTrusted: it has not.
    """
    try:
        bundle = open_bundle(folder)
    except NotTrusted:
        raise
    except ModelError as problem:
        raise NotTrusted(problem.what, where=problem.where, way_out=problem.way_out) from problem
    expected = {*bundle.files, MANIFEST, SIGNATURE}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            title = path.relative_to(folder).as_posix()
            if path.is_symlink() or (name in files and title not in expected):
                raise NotTrusted(
                    f"its manifest does not know {title}", where=str(folder),
                    way_out="Somebody put it there. Take it away if it is yours; else do not use this copy.",
                )  # fmt: skip
    return bundle


def kind_of(bundle: Bundle) -> str:
    """Whether a bundle holds a specialist or karyotyping models.

    Raises:
        NotTrusted: neither, or both.
    """
    found = [kind for record, kind in _KINDS.items() if record in bundle.files]
    if len(found) != 1:
        raise NotTrusted(
            "it is neither a specialist nor a set of karyotyping models", where=str(bundle.folder),
            way_out="Publish the folder that `specialist fit` or `models --bundle` writes.",
        )  # fmt: skip
    return found[0]


def cards_in(bundle: Bundle) -> dict[str, ModelCard]:
    """The cards of a bundle by file name; every network in it has one, and is the one that its card describes.

    Raises:
        NotTrusted: there is no card, or one that is malformed or describes another file.
    """
    names = [name for name in bundle.files if name.startswith("models/") and name.endswith(".json")]
    try:
        cards = {name: read_card(bundle.path(name)) for name in names}
    except ModelError as problem:
        raise NotTrusted(f"its card cannot be used: {problem.what}", where=problem.where, way_out=_NO_CARD) from problem
    described = {f"models/{card.file}": card.sha256 for card in cards.values()}
    networks = [name for name in bundle.files if name.endswith(".onnx")]
    if not cards or not networks:
        raise NotTrusted(
            "it has no model card" if networks else "it has no network", where=str(bundle.folder), way_out=_NO_CARD
        )
    for name in networks:
        if name not in described:
            raise NotTrusted(f"no card describes {name}", where=str(bundle.folder), way_out=_NO_CARD)
    for name, digest in described.items():
        if name not in bundle.files or sha256_of(bundle.path(name)) != digest:
            raise NotTrusted(
                f"{name} is not the file that its card describes", where=str(bundle.folder), way_out=_NO_CARD
            )
    return cards


_NO_CARD = "A model is used with its card or not at all; ask its publisher."


def licence_of(bundle: Bundle, cards: Mapping[str, ModelCard], rules: LicenceRules) -> str:
    """The licence of a package, where it and those of the training data are let in.

    Raises:
        NotTrusted: a licence is missing, or not let in; the message names it.
    """
    where = str(bundle.folder)
    try:
        text = bundle.path(LICENCE).read_text(encoding="utf-8", errors="replace")
    except (ModelError, OSError) as problem:
        raise NotTrusted("it has no file LICENSE", where=where, way_out=_STATE) from problem
    if not text.strip() or NO_TERMS in text:
        raise NotTrusted("its file LICENSE states no terms", where=where, way_out=_STATE)
    found: dict[str, None] = {}
    for name, card in cards.items():
        expression = expression_of(card.licence)
        if expression is None:
            raise NotTrusted(f"{name} states no licence of SPDX ({card.licence[:60]!r})", where=where, way_out=_STATE)
        if strange := outside(expression, rules.models):
            raise NotTrusted(f"its licence {', '.join(strange)} is not let in here", where=where, way_out=_LET_IN)
        found[expression] = None
        for data in card.trained_on:
            refuse_data(data.name, data.licence, rules, where=f"{where}, {name}")
    parts = [one if len(found) == 1 or " OR " not in one else f"({one})" for one in found]
    return " AND ".join(parts)


def refuse_data(name: str, licence: str, rules: LicenceRules, *, where: str) -> None:
    """See that what was learnt from a data set may be handed on.

    Raises:
        NotTrusted: its licence forbids it, is missing, or is not let in.
    """
    if words := forbidding_words(licence, rules):
        raise NotTrusted(
            f"the licence of its training data {name!r} forbids to hand it on ({words!r})", where=where,
            way_out="Train it again without that set.",
        )  # fmt: skip
    expression = None if licence == PLACEHOLDER else expression_of(licence)
    if expression is None:
        raise NotTrusted(
            f"nobody said under which licence it learnt from {name!r} ({licence[:60]!r})", where=where, way_out=_DATA
        )
    if strange := outside(expression, rules.data):
        raise NotTrusted(
            f"the licence {', '.join(strange)} of its training data {name!r} is not let in here", where=where,
            way_out=_LET_IN,
        )  # fmt: skip


_STATE = "The publisher states it: consilium library publish ... --licence SPDX."
_DATA = (
    "The publisher states it: --data-licence 'NAME=SPDX'; for cases of his own hospital that agrees to hand on what "
    "was learnt from them: LicenseRef-owner-consents."
)
_LET_IN = "`consilium library licences` lists what is; a hospital may have its own list."


def case_features(bundle: Bundle) -> int:
    """Of how many training cases a bundle keeps the features, for its gate.

    They tell no name and no picture, yet whoever has a case can find out whether it is one of them.

    Raises:
        NotTrusted: a file of arrays cannot be read.
    """
    import numpy as np

    count = 0
    for name in bundle.files:
        if not name.endswith(".npz"):
            continue
        try:
            with ZipFile(bundle.path(name)) as packed:
                held = "gate_known.npy" in packed.namelist()
            if held:
                with np.load(bundle.path(name), allow_pickle=False) as arrays:
                    count += len(arrays["gate_known"])
        except (OSError, ValueError, BadZipFile, KeyError, TypeError) as problem:
            raise NotTrusted(f"{name} cannot be read ({problem})", where=str(bundle.folder)) from problem
    return count


def _signed(folder: Path, key: PublicKey) -> None:
    from consilium.artefact.signature import verify as verify_signature

    if not (folder / SIGNATURE).is_file():
        raise NotTrusted("it is not signed", where=str(folder), way_out="Ask its publisher for a signed one.")
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as stream:
        stream.write(key.pem)
        stream.flush()
        try:
            verify_signature(folder, Path(stream.name))
        except ModelError as problem:
            raise NotTrusted(problem.what, where=problem.where, way_out=problem.way_out) from problem
