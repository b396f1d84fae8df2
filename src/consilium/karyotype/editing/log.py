"""The log of a cell: the machine's reading, and every command since, undo and redo among them.

Nothing is ever taken out of the log. The state is a fold over it, so the same reading and the same commands are the
same state, whoever folds them and when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from consilium.errors import InputError
from consilium.karyotype.editing.apply import apply
from consilium.karyotype.editing.cell import EditedCell
from consilium.karyotype.editing.commands import Command, Note, Redo, Undo


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A command that was done: its number in the log, and the cell after it."""

    sequence: int
    after: EditedCell


@dataclass(frozen=True, kw_only=True, slots=True)
class Folded:
    """A log, folded up to some command.

    Attributes:
        reading: the cell as the machine read it.
        version: commands in the log, undo and redo included.
        done: what still holds, oldest first.
        undone: what was taken back and can be done again, the newest last.
        interactions: what people did for this karyogram (see `counts_as_interaction`).
    """

    reading: EditedCell
    version: int = 0
    done: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()
    interactions: int = 0

    @property
    def cell(self) -> EditedCell:
        """The cell as it is now."""
        return self.done[-1].after if self.done else self.reading

    def then(self, command: Command) -> Folded:
        """The log with one command more.

        Raises:
            InputError: it cannot be done; the log is as it was.
        """
        sequence = self.version + 1
        done, undone = self.done, self.undone
        if isinstance(command, Undo):
            if not done:
                raise InputError("there is nothing to undo", where=self.reading.image)
            done, undone = done[:-1], (*undone, done[-1])
        elif isinstance(command, Redo):
            if not undone:
                raise InputError("there is nothing to do again", where=self.reading.image)
            done, undone = (*done, undone[-1]), undone[:-1]
        else:
            done = (*done, Step(sequence=sequence, after=apply(self.cell, command, sequence)))
            undone = ()
        return replace(
            self, version=sequence, done=done, undone=undone,
            interactions=self.interactions + counts_as_interaction(command),
        )  # fmt: skip


def fold(reading: EditedCell, commands: Iterable[Command]) -> Folded:
    """A whole log, folded.

    Raises:
        InputError: one of the commands cannot be done where it stands.
    """
    folded = Folded(reading=reading)
    for command in commands:
        folded = folded.then(command)
    return folded


def counts_as_interaction(command: Command) -> bool:
    """Whether a command counts among the interactions of a karyogram.

    Everything that a person does to the picture counts once: a confirmation of many objects too, and undo and redo,
    since they are work. A note does not: it is about the cell, and not for the karyogram. What leaves the cell as it
    is (zooming, looking at another cell) is no command.
    """
    return not isinstance(command, Note)
