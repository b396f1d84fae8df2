"""Which passwords may be chosen, and how they are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.errors import InputError
from consilium.web.security.passwords import check_password, kept, one_time_password, outdated, right

ABOUT = ("Wang Fang", "Laboratory of Cytogenetics, Riverside")


@pytest.mark.parametrize(
    "good",
    ["correct horse battery staple", "seven otters under a green piano", "青山绿水里有七只水獭在弹琴", "kT9#vv2;qLw0",
     "tea before thursday, twice"],
)  # fmt: skip
def test_a_password_that_nobody_guesses_may_be_chosen(good: str) -> None:
    check_password(good, about=ABOUT)


@pytest.mark.parametrize(
    "bad",
    ["shorty", "eleven lett", "aaaaaaaaaaaaaaaa", "abcabcabcabcabc", "Password2026!!", "P@ssw0rd12345", "qwertyuiop12",
     "123456789012", "wangfang2026!", "WangFang-1987", "riverside-riverside", "Laboratory2026", "cytogenetics!!",
     "iloveyou123456", "woaini1314520", "administrator1", "1qaz2wsx3edc4rfv", "Consilium2026", "x" * 257,
     "tab\tin the middle of it", "实验室密码2026染色体核型"],
)  # fmt: skip
def test_one_that_is_guessed_first_or_cannot_be_typed_may_not(bad: str) -> None:
    with pytest.raises(InputError) as refused:
        check_password(bad, about=ABOUT)
    assert bad not in str(refused.value)


def test_the_one_and_no_other_is_right() -> None:
    stored = kept("seven otters under a green piano")
    assert stored.startswith("$argon2id$")
    assert right("seven otters under a green piano", stored)
    assert not right("seven otters under a green pian0", stored)
    assert not right("", stored)
    assert not outdated(stored)


def test_a_letter_written_in_two_ways_is_one_letter() -> None:
    assert right("cafe\u0301 au lait d'avoine", kept("caf\u00e9 au lait d'avoine"))


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$aaaa$bbbb"])
def test_nothing_is_right_where_no_password_is(stored: str | None) -> None:
    assert not right("anything at all, really", stored)


def test_one_time_passwords_may_be_chosen_and_differ() -> None:
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        check_password(one, about=ABOUT)


@given(st.text(max_size=300))
def test_any_text_is_taken_or_refused_in_words(text: str) -> None:
    try:
        check_password(text, about=ABOUT)
    except InputError as refused:
        assert refused.what
    else:
        assert len(text) >= 6  # composed it has twelve letters or more; decomposed ones have more
