"""Fifty people at their browsers, simulated: what each does, with time to think, and how long every answer took."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

THINK_SECONDS = 3.0
"""Mean of the time between two acts of a person, exponential, from a half to ten seconds."""

BROWSER_CONNECTIONS = 6
COMMANDS = (6, 12)
"""Commands on one cell: least and most."""

_CASE = re.compile(r'href="/cases/([A-Z0-9-]+)"')
_CELL = re.compile(r'id="cell-(\d+)"')


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer: what was asked, by whom, when (seconds since the start), how long it took, and its status."""

    what: str
    person: int
    at: float
    seconds: float
    status: int


@dataclass(kw_only=True)
class Person:
    """Somebody at a browser.

    Attributes:
        number: who.
        client: of the browser.
        cases: that are hers, so that nobody edits what she edits.
        rng: what she happens to do.
        until: when she goes home, seconds since the start.
        comes_within: seconds in which she begins, at any moment of them; nobody opens the first cell when all do.
        answers: that she got.
    """

    number: int
    client: httpx.AsyncClient
    cases: Sequence[str]
    rng: random.Random
    start: float
    until: float
    comes_within: float
    answers: list[Answer] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    async def ask(self, what: str, address: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask something, and note how long the answer took."""
        began = time.perf_counter()
        answer = await self._sent(address, body)
        took = time.perf_counter() - began
        self.answers.append(
            Answer(what=what, person=self.number, at=began - self.start, seconds=took, status=answer.status_code)
        )
        return answer

    async def _sent(self, address: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """Send it; once more where the server had just closed the connection that was idle, as browsers do."""
        for again in (False, True):
            try:
                return await (self.client.get(address) if body is None else self.client.post(address, json=body))
            except httpx.RemoteProtocolError:
                if again:
                    raise
        raise AssertionError

    async def work(self) -> None:
        """Work until it is time: the worklist, a case, a cell, commands on it."""
        await asyncio.sleep(self.rng.uniform(0, self.comes_within))
        while self._time_left():
            await self.ask("worklist", f"/worklist?view=waiting&first={50 * self.rng.randrange(4)}")
            await self._think()
            number = self.rng.choice(self.cases)
            page = await self.ask("case page", f"/cases/{number}")
            cells = _CELL.findall(page.text)
            await self._pictures([f"/api/v1/cells/{cell}/thumbnail.png" for cell in cells[:8]], "thumbnail")
            await self._think()
            if cells and self._time_left():
                await self._edit(int(self.rng.choice(cells)))

    async def _edit(self, cell: int) -> None:
        await self.ask("editor page", f"/cells/{cell}")
        answer = await self.ask("cell", f"/api/v1/cells/{cell}")
        document = answer.json()
        pictures = f"/api/v1/cells/{cell}/sprites"
        await self._pictures([document["picture"], pictures], "picture of the editor")
        self._seen.update(one["sprite"] for one in document["objects"])
        self._seen.discard(pictures)
        version, objects = document["version"], [one["id"] for one in document["objects"]]
        for _ in range(self.rng.randint(*COMMANDS)):
            await self._think()
            if not self._time_left():
                return
            body = {
                # New in each run, whatever the seed: the same key would be the same command.
                "key": str(uuid.uuid4()),
                "seen": version,
                "command": self._command(objects),
            }
            answer = await self.ask("command", f"/api/v1/cells/{cell}/commands", body)
            if answer.status_code not in (200, 201):
                return
            told = answer.json()
            version = told["version"]
            # A chromosome that was turned or moved has another picture.
            await self._pictures([one["sprite"] for one in told["changed"]], "picture of a chromosome")

    def _command(self, objects: Sequence[str]) -> dict[str, Any]:
        one, other = self.rng.sample(list(objects), 2)
        return self.rng.choice(
            (
                {"kind": "confirm", "objects": [one]},
                {"kind": "flip", "object": one, "axis": "vertical"},
                {"kind": "rotate", "object": one, "degrees": self.rng.choice((-15, -5, 5, 15))},
                {"kind": "swap", "object": one, "other": other},
                {"kind": "reassign", "object": one, "label": str(self.rng.randint(1, 22))},
            )
        )

    async def _pictures(self, addresses: Sequence[str], what: str) -> None:
        """Pictures as a browser fetches them: a few at once, and none that it has."""
        fresh = [one for one in addresses if one not in self._seen]
        self._seen.update(fresh)
        await asyncio.gather(*(self.ask(what, one) for one in fresh))

    def _time_left(self) -> bool:
        return time.perf_counter() - self.start < self.until

    async def _think(self) -> None:
        await asyncio.sleep(min(max(self.rng.expovariate(1 / THINK_SECONDS), 0.5), 10))


async def crowd(
    url: str, passwords: Mapping[str, str], numbers: Sequence[str], *, seconds: float, ramp: float, seed: int
) -> tuple[Answer, ...]:
    """Let people work at once.

    Args:
        url: of the workstation.
        passwords: by the names of the people.
        numbers: of the cases; each person has her own.
        seconds: how long.
        ramp: in how many of them the people come in, one by one.
        seed: of what they happen to do.

    Returns:
        Every answer that anybody got, in the order in which it was asked for.
    """
    # One after another: how many sign in at once is limited, since hashing a password takes memory on purpose.
    clients = [await _signed_in(url, name, password) for name, password in passwords.items()]
    start = time.perf_counter()
    people = [
        Person(
            number=index, client=client, cases=numbers[index :: len(clients)], rng=random.Random(seed * 1000 + index),
            start=start, until=seconds, comes_within=ramp,
        )
        for index, client in enumerate(clients)
    ]  # fmt: skip
    try:
        await asyncio.gather(*(one.work() for one in people))
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))
    return tuple(sorted((answer for one in people for answer in one.answers), key=lambda answer: answer.at))


async def _signed_in(url: str, name: str, password: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=BROWSER_CONNECTIONS)
    client = httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False)
    answer = await client.post("/api/v1/session", json={"person": name, "password": password})
    answer.raise_for_status()
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return client
