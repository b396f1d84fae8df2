"""A Bundle of FHIR R4B that came in: read, held against the models of fhir.resources, its references followed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from consilium.errors import InputError, MissingExtra

LARGEST = 4 * 2**20
MOST_ENTRIES = 500
KINDS = ("transaction", "message")

Resource = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A Bundle whose every resource is one of R4B.

    Attributes:
        kind: transaction or message.
        resources: by how they are referred to: fullUrl, and Type/id.
        entries: all of them in order.
        identifier: of the Bundle or of its message; empty where it has none.
    """

    kind: str
    resources: Mapping[str, Resource]
    entries: tuple[Resource, ...]
    identifier: str

    def of(self, kind: str) -> tuple[Resource, ...]:
        """All resources of a type."""
        return tuple(one for one in self.entries if one.get("resourceType") == kind)

    def followed(self, reference: Any, kind: str) -> Resource | None:
        """The resource that a reference names; None where there is no reference.

        Raises:
            InputError: it is not in the Bundle, or is of another type.
        """
        told = reference.get("reference") if isinstance(reference, dict) else None
        if not told:
            return None
        found = self.resources.get(str(told))
        if found is None or found.get("resourceType") != kind:
            raise InputError(f"a reference to a {kind} leads to none in the Bundle", way_out="Send it in the same one.")
        return found


def bundle_of(data: bytes) -> Bundle:
    """A Bundle from its JSON.

    Raises:
        InputError: it is none of R4B, or none of the kinds that are taken; the message names the element and repeats
            none of what stands in it.
        MissingExtra: fhir.resources is not installed.
    """
    if len(data) > LARGEST:
        raise InputError(f"the Bundle is too large ({len(data)} bytes)", way_out=f"{LARGEST} bytes at most.")
    try:
        told = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise InputError("this is no JSON in UTF-8") from problem
    if not isinstance(told, dict) or told.get("resourceType") != "Bundle":
        raise InputError("this is no Bundle")
    entries = told.get("entry", [])
    if not isinstance(entries, list) or not all(
        isinstance(one, dict)
        and isinstance(one.get("resource"), dict)
        and isinstance(one["resource"].get("resourceType"), str)
        for one in entries
    ):
        raise InputError("an entry of the Bundle has no resource", where="Bundle.entry")
    if len(entries) > MOST_ENTRIES:
        raise InputError(f"the Bundle has {len(entries)} entries", way_out=f"{MOST_ENTRIES} at most.")
    validate(told)
    if told["type"] not in KINDS:
        raise InputError(
            "Bundles of this type are not taken", where="Bundle.type", way_out=f"Taken: {', '.join(KINDS)}."
        )
    resources: dict[str, Resource] = {}
    for one in entries:
        resource = one["resource"]
        for name in (one.get("fullUrl"), f"{resource['resourceType']}/{resource.get('id')}"):
            if name and not name.endswith("/None"):
                if resources.get(name, resource) is not resource:
                    raise InputError("two resources of the Bundle have one name", where="Bundle.entry")
                resources[name] = resource
    identifier = str(told.get("identifier", {}).get("value") or told.get("id") or "")
    return Bundle(
        kind=told["type"], resources=resources, entries=tuple(one["resource"] for one in entries),
        identifier=identifier,
    )  # fmt: skip


def validate(told: Mapping[str, Any]) -> None:
    """Hold a Bundle against the models of R4B.

    Raises:
        InputError: it is none; the message names the first elements that are wrong.
        MissingExtra: fhir.resources is not installed.
    """
    if find_spec("fhir") is None:
        raise MissingExtra(
            "fhir.resources is needed for FHIR", way_out="Install it: pip install 'consilium[exchange]'."
        )
    from fhir.resources.R4B.bundle import Bundle as Model
    from pydantic import ValidationError

    try:
        Model.model_validate(told)
    except ValidationError as problem:
        places = [".".join(map(str, one["loc"])) for one in problem.errors(include_input=False, include_context=False)]
        shown = ", ".join(dict.fromkeys(place[:80] for place in places[:5])) or "the Bundle itself"
        raise InputError(
            "the Bundle is none of FHIR R4B", where=shown, way_out="See R4B's definition of it."
        ) from problem
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError) as problem:
        # The models raise other things where the type of a resource is none at all.
        raise InputError("the Bundle has a resource that is none of FHIR R4B") from problem


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
