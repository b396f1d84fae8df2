"""Forms that people fill in: what they did is told on the next page, and what they typed is never lost to an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from consilium.errors import ConsiliumError, EngineError, InputError, MissingExtra, NotAllowed, RecordChanged
from consilium.laboratory.profile import Profile
from consilium.web.problems import status_of


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A form that was not accepted: which, what was typed into it, why.

    Attributes:
        form: its name.
        values: by the names of its fields.
        problem: what was wrong; None where nothing was sent yet.
        several: fields that may be there more than once.
    """

    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    problem: ConsiliumError | None = None
    several: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, form: str, name: str, otherwise: object = "") -> str:
        """What stands in a field: as it was typed, if this is the form, else as the record has it."""
        if form == self.form and self.problem is not None:
            return self.values.get(name, "")
        return "" if otherwise is None else str(otherwise)

    def has(self, form: str, name: str, value: str) -> bool:
        """Whether one of several choices was made."""
        return form == self.form and value in self.several.get(name, ())

    @property
    def changed(self) -> bool:
        """Whether somebody else was faster."""
        return isinstance(self.problem, RecordChanged)

    @property
    def status(self) -> int:
        """Of the answer that shows it."""
        return 200 if self.problem is None else status_of(self.problem)


BLANK = Entered()


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What a form brought along: each field once, and those that may be there more than once."""

    values: Mapping[str, str]
    several: Mapping[str, tuple[str, ...]]

    def get(self, name: str) -> str:
        """A field; empty where it was not there."""
        return self.values.get(name, "")

    @property
    def seen(self) -> int:
        """The version that the form was made from.

        Raises:
            InputError: it says none.
        """
        text = self.get("seen")
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise InputError("the form does not say from which version it is", way_out="Load the page again.")
        return int(text)


async def filled(request: Request) -> Filled:
    """The fields of a form, files left out."""
    form = await request.form()
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return Filled(
        values={name: values[0] for name, values in found.items()},
        several={name: tuple(values) for name, values in found.items()},
    )


Form = Annotated[Filled, Depends(filled)]


def acted(
    form: str, given: Filled, act: Callable[[], str], again: Callable[[Entered], Response], *, done: str = ""
) -> Response:
    """Do what a form asks for and go on, or show the form again with what was typed.

    Args:
        form: its name.
        given: what it brought along.
        act: does it, and says the address to go on to.
        again: shows the page with the form.
        done: what is told there; a key of the words "done.".
    """
    try:
        to = act()
    except (InputError, NotAllowed, EngineError, MissingExtra) as problem:
        return again(Entered(form=form, values=given.values, several=given.several, problem=problem))
    path, mark, part = to.partition("#")
    if done:
        path += ("&" if "?" in path else "?") + urlencode({"done": done})
    return RedirectResponse(path + mark + part, status_code=303)


@dataclass(frozen=True)
class Clock:
    """Times of the records as the laboratory's clocks show them."""

    profile: Profile

    def __call__(self, moment: str | None) -> str:
        """Day and minute; empty for none."""
        return "" if not moment else f"{self._local(moment):%Y-%m-%d %H:%M}"

    def day(self, moment: str | None) -> str:
        """The day; empty for none."""
        return "" if not moment else f"{self._local(moment):%Y-%m-%d}"

    def _local(self, moment: str) -> datetime:
        return self.profile.local(moment)
