"""A server that is killed while pictures are handed in has those that it acknowledged, and no half one."""

from __future__ import annotations

import hashlib
import io
import threading
import time

import numpy as np
from PIL import Image

from tests.laboratory.conftest import received
from tests.web.live import Live, live

__all__ = ["live"]


def noise(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (500, 600), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def test_a_server_that_is_killed_during_uploads_keeps_what_it_acknowledged_and_nothing_half(live: Live) -> None:
    import httpx

    _, number, _ = received(live.records)
    pictures = [noise(seed) for seed in range(60)]
    acknowledged: list[str] = []

    def hand_in() -> None:
        with live.client("tang") as asked:
            for place, content in enumerate(pictures):
                try:
                    files = {"files": (f"{place:02d}.png", content, "image/png")}
                    answer = asked.post(f"/api/v1/cases/{number}/images", files=files)
                except httpx.TransportError:
                    return
                assert answer.status_code == 201, answer.text
                acknowledged.append(hashlib.sha256(content).hexdigest())

    people = threading.Thread(target=hand_in)
    people.start()
    until = time.monotonic() + 60
    while len(acknowledged) < 5 and time.monotonic() < until:
        time.sleep(0.005)
    live.kill()
    people.join()
    assert 5 <= len(acknowledged) < len(pictures)
    live.start()
    with live.client("tang") as asked:
        known = [one["sha256"] for one in asked.get(f"/api/v1/cases/{number}/images").json()]
        # One may have been committed and not answered any more; nothing else is there.
        assert known[: len(acknowledged)] == acknowledged and len(known) <= len(acknowledged) + 1
        for digest in known:
            content = (live.files / digest[:2] / digest).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest
        # It goes on as if nothing had been: the last picture was never handed in.
        last = {"files": ("last.png", pictures[-1], "image/png")}
        assert asked.post(f"/api/v1/cases/{number}/images", files=last).status_code == 201
        assert len(asked.get(f"/api/v1/cases/{number}/images").json()) == len(known) + 1
