"""Every error that Consilium raises on purpose.

    ConsiliumError                   what went wrong, where, and the way out
    +-- InputError                   what the user handed in cannot be used
    |   +-- UnreadableImage          not an image, truncated, or of an unsupported kind
    |   +-- ImageOutOfBounds         too small or too large to be one metaphase
    |   +-- NoMetaphase              a readable picture without a chromosome spread in it
    |   +-- NothingToDo              no input was left to work on
    |   +-- NotDeidentified          a file could tell who the patient is, and is not handed on
    |   +-- UnusableDataset          labelled cases that no model can be trained or judged on
    |   +-- NotFound                 nothing has the number, label or place that was asked for
    |   +-- RecordChanged            somebody else changed a record since it was read
    +-- ModelError                   a shipped or chosen model is missing, altered or does not fit
    |   +-- NotTrusted               a model that must not be used here, whatever it could do
    +-- OutputError                  a result cannot be written where it was asked for
    +-- WorkerDied                   the process that worked on an image was killed
    +-- MissingExtra                 an optional dependency is needed for this verb
    +-- MissingFont                  no font at hand has the letters of a report
    +-- EngineError                  jobs cannot be run, or not in the way that was asked for
    +-- LedgerBroken                 the record of who did what was changed
    +-- StorageLocked                the keys of stored studies are missing, destroyed or do not open
    +-- StorageBroken                a stored study was changed
    +-- NotAllowed                   who asks may not do it

Each carries three parts, which the command line prints as one message and an interface may show apart.
"""

from __future__ import annotations


class ConsiliumError(Exception):
    """An error with a message for the person at the keyboard.

    Args:
        what: what went wrong, one clause without a full stop.
        where: the file, cell or chromosome it happened in.
        way_out: what the reader can do about it.
    """

    def __init__(self, what: str, *, where: str = "", way_out: str = "") -> None:
        self.what, self.where, self.way_out = what, where, way_out
        super().__init__(what)

    def __str__(self) -> str:
        message = f"{self.where}: {self.what}" if self.where else self.what
        return f"{message}. {self.way_out}" if self.way_out else message

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes hand their errors back by pickle, which does not know keyword arguments.
        return _rebuild, (type(self), self.what, self.where, self.way_out)


def _rebuild(kind: type[ConsiliumError], what: str, where: str, way_out: str) -> ConsiliumError:
    return kind(what, where=where, way_out=way_out)


class InputError(ConsiliumError):
    """What the user handed in cannot be used."""


class UnreadableImage(InputError):
    """A file is not an image, is truncated, or is of a kind that no reader knows."""


class ImageOutOfBounds(InputError):
    """An image is too small or too large to be one metaphase."""


class NoMetaphase(InputError):
    """An image was read, but no chromosome spread is in it."""


class NothingToDo(InputError):
    """No input was left to work on."""


class NotDeidentified(InputError):
    """A file cannot be written without the risk that it tells who the patient is."""


class UnusableDataset(InputError):
    """Labelled cases, or the table that lists them, are such that no model can be trained or judged on them."""


class NotFound(InputError):
    """Nothing that is recorded has the number, label, name or place that was asked for."""


class RecordChanged(InputError):
    """Somebody changed a record after whoever wants to change it had read it."""


class ModelError(ConsiliumError):
    """A model is missing, altered, or does not fit its card."""


class NotTrusted(ModelError):
    """A model is unsigned, altered, not licensed, without a card, or was taken back: it does not run here."""


class OutputError(ConsiliumError):
    """A result cannot be written where it was asked for."""


class WorkerDied(ConsiliumError):
    """The process that worked on an item was killed before it was done."""


class MissingExtra(ConsiliumError):
    """An optional dependency is not installed."""


class MissingFont(ConsiliumError):
    """No font at hand has the letters of a report."""


class EngineError(ConsiliumError):
    """A compute engine does not run, or does not offer what was asked for."""


class LedgerBroken(ConsiliumError):
    """The record of who did what does not hold together."""


class NotAllowed(ConsiliumError):
    """Who asks may not do what was asked for."""


class StorageLocked(ConsiliumError):
    """The keys that open a hospital's stored studies are not there, were destroyed, or do not open."""


class StorageBroken(ConsiliumError):
    """A stored study is not what was stored."""
