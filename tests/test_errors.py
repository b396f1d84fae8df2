from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from consilium import errors
from consilium.errors import ConsiliumError


def _tree(kind: type[ConsiliumError]) -> Iterator[type[ConsiliumError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


KINDS = [kind for kind in _tree(ConsiliumError) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", KINDS)
def test_the_message_says_what_where_and_the_way_out(kind: type[ConsiliumError]) -> None:
    error = kind("the file is truncated", where="cell7.png", way_out="Export it again.")
    assert str(error) == "cell7.png: the file is truncated. Export it again."


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_back_from_a_worker(kind: type[ConsiliumError]) -> None:
    error = kind("too small", where="a.tif", way_out="Scan larger.")
    returned = pickle.loads(pickle.dumps(error))
    assert type(returned) is kind
    assert (returned.what, returned.where, returned.way_out) == ("too small", "a.tif", "Scan larger.")


def test_missing_parts_leave_no_punctuation_behind() -> None:
    assert str(ConsiliumError("it failed")) == "it failed"
    assert str(ConsiliumError("it failed", where="here")) == "here: it failed"
    assert str(ConsiliumError("it failed", way_out="Try again.")) == "it failed. Try again."


@pytest.mark.parametrize("kind", KINDS)
def test_the_docstring_draws_the_whole_tree(kind: type[ConsiliumError]) -> None:
    assert errors.__doc__ is not None
    assert kind.__name__ in errors.__doc__


@pytest.mark.parametrize("name", ["UnreadableImage", "ImageOutOfBounds", "NoMetaphase", "NothingToDo"])
def test_what_the_user_handed_in_is_an_input_error(name: str) -> None:
    assert issubclass(getattr(errors, name), errors.InputError)
