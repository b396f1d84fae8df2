from __future__ import annotations

import pytest

from consilium.alliance.joint_training.differential_privacy import ROUNDS
from consilium.alliance.joint_training.proposing import Proposal, proposed
from consilium.errors import InputError
from consilium.generalist.shipped import shipped_encoder

HOSPITALS = ("a", "b", "c", "d", "e", "f")


def test_what_is_usual_follows_from_how_many_take_part_and_from_privacy() -> None:
    encoder = shipped_encoder()

    def made(count: int, **more: object) -> object:
        asked = Proposal(id="x", disease="x", hospitals=HOSPITALS[:count], labels=("n", "t"), **more)  # type: ignore[arg-type]
        return proposed(asked, lead="a", encoder=encoder)

    assert made(5).contribution == "shapley"  # type: ignore[attr-defined]
    assert made(6).contribution == "leave_one_out"  # type: ignore[attr-defined]
    assert made(3, encrypted=True).contribution == "none"  # type: ignore[attr-defined]
    private = made(3, epsilon=2.0, rounds=500)
    assert (private.contribution, private.rounds, private.strengths) == ("none", min(500, ROUNDS), (1.0,))  # type: ignore[attr-defined]
    assert made(3, rounds=500).rounds == 500  # type: ignore[attr-defined]
    with pytest.raises(InputError):
        made(3, epsilon=2.0, contribution="shapley")
    with pytest.raises(InputError):
        made(1)
