"""An ISCN string with one place written anew."""

from __future__ import annotations

from consilium.cytogenetics.iscn.tree import Item, Span


def mended(text: str, span: Span, by: str) -> str:
    """The string with one place written anew."""
    return text[: span.start] + by + text[span.end :]


def without_item(text: str, item: Item) -> str:
    """The string without one item and the comma before it."""
    start = item.span.start
    return text[: start - 1 if text[start - 1 : start] == "," else start] + text[item.span.end :]


def without_sign(text: str, item: Item) -> str:
    """The string without the sign of one item."""
    return mended(text, Span(item.span.start, item.span.start + 1), "")


def told(text: str, item: Item) -> str:
    """An item as it stands in the string."""
    return text[item.span.start : item.span.end]
