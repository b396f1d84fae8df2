"""The rules of ISCN 2024 that a string is held to (they stand in `rules.toml`), and where it breaks one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal

from consilium.cytogenetics.iscn.tree import Span

Severity = Literal["error", "warning", "note"]
Language = Literal["en", "zh"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        section: where ISCN 2024 says so.
        severity: "error" the string is wrong; "warning" it may be right, but rarely is; "note" worth knowing.
        en, zh: what to say; names in braces are filled in.
    """

    section: str
    severity: Severity
    en: str
    zh: str


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by their name."""
    text = resources.files("consilium.cytogenetics.iscn").joinpath("rules.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: Rule(**told) for name, told in tomllib.loads(text).items()})


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a rule is broken.

    Attributes:
        rule: its name in `rules`.
        span: characters of the string.
        values: what the message is filled with.
        suggestion: the whole string with this fault mended, where that is certain; never applied by itself.
    """

    rule: str
    span: Span
    values: tuple[tuple[str, str], ...] = ()
    suggestion: str | None = None

    @property
    def section(self) -> str:
        """Section of ISCN 2024."""
        return rules()[self.rule].section

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return rules()[self.rule].severity

    def message(self, language: Language = "en") -> str:
        """What to say, in English or Chinese."""
        rule = rules()[self.rule]
        return (rule.zh if language == "zh" else rule.en).format(**dict(self.values))
