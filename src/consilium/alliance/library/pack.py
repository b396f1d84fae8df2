"""A bundle becomes a package: its terms stated, its name and version in it, signed by the hospital that hands it on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consilium.alliance.library.contents import FORMAT, LICENCE, STATEMENT, case_features, kind_of, refuse_data, whole
from consilium.alliance.library.licences import (
    NO_TERMS,
    PLACEHOLDER,
    LicenceRules,
    canonical,
    expression_of,
    forbidding_words,
)
from consilium.alliance.library.reference import Version, version_of
from consilium.alliance.library.trust import PublicKey
from consilium.artefact.bundle import CARD, METADATA, SIGNATURE, write_bundle
from consilium.errors import InputError, ModelError, NotTrusted


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a publisher states of a model.

    Attributes:
        licence: SPDX expression of what was learnt; empty where the cards state one.
        text: of the licence, for the file LICENSE; needed where the expression is one of the owner's own.
        data: SPDX expression by name of training data; under the empty name, of all that state none.
        cases_may_leave: whether features of the training cases may leave the hospital with the model.
    """

    licence: str = ""
    text: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    cases_may_leave: bool = False


def stated_version(folder: Path) -> Version:
    """The version that a bundle gives itself.

    Raises:
        NotTrusted: the bundle is damaged.
        InputError: it gives itself none.
    """
    bundle = whole(folder)
    return version_of(str(bundle.document(METADATA).get("version", "")) if METADATA in bundle.files else "")


def pack(
    folder: Path,
    out: Path,
    *,
    name: str,
    version: Version,
    publisher: str,
    key: Path,
    public: PublicKey,
    terms: Terms,
    rules: LicenceRules,
    signed_by: Path | None = None,
) -> None:
    """Write the package of a bundle.

    Args:
        folder: of the bundle.
        out: becomes the package.
        name: under which it is handed on.
        version: of it.
        publisher: id of the hospital.
        key: its private key.
        public: its public key.
        terms: what the publisher states.
        rules: on licences.
        signed_by: public key that a signed bundle is held against.

    Raises:
        NotTrusted: the bundle is damaged, has no card, or what it learnt from may not be handed on.
        InputError: what is stated is missing, malformed, or says something else than the cards.
        MissingExtra: model-signing is not installed.
    """
    from consilium.artefact.signature import need_signing, sign, verify

    need_signing()
    bundle = whole(folder)
    if (folder / SIGNATURE).is_file() and signed_by is not None:
        try:
            verify(folder, signed_by)
        except ModelError as problem:
            raise NotTrusted(
                problem.what, where=problem.where,
                way_out="Name the key that it was signed with (--verify), or fit it again.",
            ) from problem  # fmt: skip
    kind = kind_of(bundle)
    kept = case_features(bundle)
    if kept and not terms.cases_may_leave:
        raise InputError(
            f"it keeps features of {kept} training cases, which would leave the hospital with it", where=str(folder),
            way_out="A data officer of the hospital may decide that: --case-features-may-leave.",
        )  # fmt: skip
    files = {one: bundle.path(one).read_bytes() for one in bundle.files}
    cards = _cards(files)
    if not cards:
        raise NotTrusted("it has no model card", where=str(folder), way_out="A model is handed on with its card.")
    for title, card in cards.items():
        _state_licences(card, title, terms, rules, where=str(folder))
        if kind == "specialist" and title == CARD:
            card.update(name=name, version=str(version))
        files[title] = _json(card)
    files[LICENCE] = _licence_file(files.get(LICENCE, b"").decode(errors="replace"), terms).encode()
    if METADATA in files:
        files[METADATA] = _json({**bundle.document(METADATA), "name": name, "version": str(version)})
    files[STATEMENT] = _json(
        {
            "format": FORMAT, "name": name, "version": str(version), "kind": kind, "publisher": publisher,
            "key": public.fingerprint, "case_features": kept,
        }
    )  # fmt: skip
    write_bundle(files, out, seal=lambda beside: sign(beside, key))


def _cards(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, content in files.items():
        if name.startswith("models/") and name.endswith(".json"):
            try:
                card = json.loads(content)
            except ValueError as problem:
                raise NotTrusted(f"its card {name} is not JSON") from problem
            if not isinstance(card, dict):
                raise NotTrusted(f"its card {name} holds no JSON object")
            found[name] = card
    return found


def _state_licences(card: dict[str, Any], title: str, terms: Terms, rules: LicenceRules, *, where: str) -> None:
    """Put the stated licences where the card has none; what it forbids or states already stays."""
    given = _expression(terms.licence, "--licence") if terms.licence else ""
    words = str(card.get("licence", ""))
    found = expression_of(words)
    if found is None and given:
        part = re.match(r"encoder: ([^;]+);", words)
        encoder = expression_of(part.group(1)) if part else None
        card["licence"] = given if encoder in (None, given) else f"{encoder} AND {_bracketed(given)}"
    elif found is not None and given and given not in (found, *found.split(" AND ")):
        raise InputError(f"its card says {found}, not {given}", where=f"{where}, {title}")
    for data in card.get("trained_on", ()):
        name, licence = str(data.get("name", "")), str(data.get("licence", ""))
        if forbidding_words(licence, rules):
            refuse_data(name, licence, rules, where=f"{where}, {title}")
        stated = terms.data.get(name, terms.data.get("", ""))
        if stated and expression_of(licence) is None:
            expression = _expression(stated, "--data-licence")
            data["licence"] = expression if licence in ("", PLACEHOLDER) else f"{expression} ({licence})"


def _expression(text: str, option: str) -> str:
    found = canonical(text)
    if found is None:
        raise InputError(
            f"{text[:80]!r} is no licence expression of SPDX", where=option,
            way_out="As in CC-BY-4.0 or Apache-2.0 AND CC-BY-4.0; own ones begin with LicenseRef-.",
        )  # fmt: skip
    return found


def _bracketed(expression: str) -> str:
    return f"({expression})" if " OR " in expression else expression


def _licence_file(text: str, terms: Terms) -> str:
    """The file LICENSE with the stated terms in place of none."""
    if NO_TERMS not in text and text.strip():
        return text if not terms.text else f"{text.rstrip()}\n\n{terms.text}"
    if not terms.licence:
        return text
    own = re.findall(r"LicenseRef-[\w.-]+", terms.licence)
    if own and not terms.text.strip():
        raise InputError(
            f"nobody knows the terms of {own[0]}", where="--licence", way_out="Give their text: --licence-file FILE."
        )
    before = text.split(NO_TERMS)[0].rstrip()
    told = f"SPDX-License-Identifier: {terms.licence}\n\n{terms.text}".rstrip()
    return f"{before}\n\n{told}\n" if before else f"{told}\n"


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
