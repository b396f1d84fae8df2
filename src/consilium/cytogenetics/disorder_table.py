"""The table of disorders: read once, with where each row is from. What it means is asked of `disorders`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any


@cache
def table() -> dict[str, Any]:
    """`disorders.json`, with ClinGen's scores by gene (of a loss, of a gain)."""
    text = resources.files("consilium.cytogenetics").joinpath("disorders.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    read["scores"] = {row[0]: (row[4], row[5]) for row in read["genes"]}
    return read


def counted() -> Mapping[str, int]:
    """How many entries there are of which kind, and what was left out, as `training/derive_disorders.py` counted."""
    return MappingProxyType(table()["counted"])


def references(terms: list[str]) -> tuple[str, ...]:
    """Disease Ontology terms, each with what it refers to in other catalogues."""
    return tuple(reference for term in terms for reference in (term, *table()["diseases"].get(term, ("", []))[1]))


def sources(*keys: str) -> dict[str, str]:
    """The fields `source` and `licence` of what was put together from these sources."""
    rows = [table()["sources"][key] for key in keys]
    return {"source": "; ".join(row["source"] for row in rows), "licence": "; ".join(row["licence"] for row in rows)}
