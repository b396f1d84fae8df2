"""What `consilium` tells the script that called it."""

from __future__ import annotations

from enum import IntEnum

from consilium.errors import ConsiliumError, InputError, NotAllowed


class ExitCode(IntEnum):
    """The exit status of every verb; the numbers are published and stay as they are."""

    DONE = 0
    UNEXPECTED = 1
    NOT_VALID = 1
    USAGE = 2
    PARTLY_DONE = 3
    UNUSABLE_INPUT = 4
    MODEL_OR_OUTPUT = 5
    NOT_ALLOWED = 6
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.UNEXPECTED: "not valid (iscn), a critical alarm, or a fault of the program",
    ExitCode.USAGE: "the command line cannot be understood",
    ExitCode.PARTLY_DONE: "the case is done, but some of its images could not be used",
    ExitCode.UNUSABLE_INPUT: "nothing of the input could be used",
    ExitCode.MODEL_OR_OUTPUT: "a model, the output folder or an optional part is missing or unusable",
    ExitCode.NOT_ALLOWED: "who asks may not do it",
    ExitCode.INTERRUPTED: "interrupted; no half-written result is left",
}
"""What each status means, as `consilium --help` prints it."""


def exit_code_of(error: ConsiliumError) -> ExitCode:
    """The exit status that an error ends the process with."""
    if isinstance(error, NotAllowed):
        return ExitCode.NOT_ALLOWED
    return ExitCode.UNUSABLE_INPUT if isinstance(error, InputError) else ExitCode.MODEL_OR_OUTPUT
