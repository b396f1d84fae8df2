"""What a run did, counted, without a value or a file name of the input, so that it may leave with the files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consilium import __version__
from consilium.imaging.deidentify.clean_file import CleanFile
from consilium.imaging.deidentify.policy import BASIC_CODE, OPTIONS, Policy, Retain
from consilium.imaging.deidentify.refusal import WORDING, Reason
from consilium.imaging.deidentify.rules import confidentiality_table
from consilium.imaging.deidentify.wording import ACTIONS, HEADINGS, NOTES, Language

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file.

    Attributes:
        number: of the file among the inputs, from 1.
        became: the clean file, or None where it was refused.
        reason: why it was refused, or None.
    """

    number: int
    became: CleanFile | None = None
    reason: Reason | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run did."""

    policy: Policy
    outcomes: Sequence[Outcome]
    created: datetime
    dry_run: bool

    @property
    def written(self) -> list[Outcome]:
        """The files that were handed on."""
        return [one for one in self.outcomes if one.became is not None]

    @property
    def refused(self) -> list[Outcome]:
        """The files that were not."""
        return [one for one in self.outcomes if one.reason is not None]

    def as_document(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        totals: Counter[tuple[str, str]] = Counter()
        for one in self.written:
            if one.became is not None:
                totals.update(one.became.attributes)
        attributes: dict[str, dict[str, int]] = {}
        for (name, action), count in sorted(totals.items()):
            attributes.setdefault(name, {})[action] = count
        return {
            "schema_version": SCHEMA_VERSION,
            "program": f"consilium {__version__}",
            "created": self.created.isoformat(timespec="seconds"),
            "dry_run": self.dry_run,
            "profile": {
                "standard": f"DICOM PS3.15 {confidentiality_table().edition}, Annex E",
                "basic": BASIC_CODE[1],
                "retained": sorted(OPTIONS[one].meaning for one in Retain if one in self.policy.retain),
                "masks": [list(box) for box in self.policy.masks],
                "reviewed": self.policy.reviewed,
                "faces": self.policy.faces,
            },
            "written": len(self.written),
            "refused": len(self.refused),
            "attributes": attributes,
            "files": [_file(one) for one in self.outcomes],
        }

    def as_json(self) -> str:
        """The report as a JSON document."""
        return json.dumps(self.as_document(), indent=2, ensure_ascii=False) + "\n"

    def as_text(self, lang: Language) -> str:
        """The report as a short table for a person."""
        words = HEADINGS[lang]
        actions: Counter[str] = Counter()
        reasons: Counter[Reason] = Counter()
        notes: Counter[str] = Counter()
        masked = 0
        for one in self.outcomes:
            if one.became is not None:
                actions.update(one.became.actions)
                notes.update(one.became.notes)
                masked += one.became.masked
            elif one.reason is not None:
                reasons[one.reason] += 1
        lines = [words["trial"]] if self.dry_run else []
        lines.append(words["files"].format(written=len(self.written), refused=len(self.refused), masked=masked))
        lines += [f"  {count:>7}  {ACTIONS[action][lang]}" for action, count in actions.most_common() if count]
        if notes:
            lines.append(words["notes"])
            lines += [f"  {count:>7}  {NOTES[note][lang]}" for note, count in notes.most_common()]
        if reasons:
            lines.append(words["refused"])
            for reason, count in reasons.most_common():
                what, way_out = WORDING[reason][lang]
                lines.append(f"  {count:>7}  {what}{words['stop']}{way_out}")
        return "\n".join(lines)


def _file(one: Outcome) -> dict[str, Any]:
    if one.became is None:
        reason = one.reason or Reason.DAMAGED
        told = {lang: WORDING[reason][lang][0] for lang in ("en", "zh")}
        ways = {lang: WORDING[reason][lang][1] for lang in ("en", "zh")}
        return {"number": one.number, "outcome": "refused", "reason": reason.value, "told": told, "way_out": ways}
    became = one.became
    return {
        "number": one.number,
        "outcome": "written",
        "kind": became.kind,
        "output": became.place,
        "actions": {name: count for name, count in sorted(became.actions.items()) if count},
        "masked": became.masked,
        "notes": list(became.notes),
    }
