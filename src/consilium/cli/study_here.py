"""Studies of this installation, as the verbs of `consilium study` find them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.identity import who
from consilium.errors import InputError

if TYPE_CHECKING:
    from consilium.alliance.joint_training.register import Register
    from consilium.alliance.joint_training.study import Study

study_argument = click.argument("name", metavar="STUDY")
hospital_option = click.option("--hospital", default="", metavar="ID", help="Which hospital.  [default: the caller's]")
path_type = click.Path(path_type=Path)


def register_here() -> Register:
    """The studies of this installation."""
    from consilium.alliance.joint_training.register import Register
    from consilium.settings import home_folder

    return Register(home_folder())


def led(name: str) -> tuple[Register, Study]:
    """A study of which the caller is the lead."""
    from consilium.alliance.joint_training.taking_part import was_taken
    from consilium.alliance.permissions import require

    register = register_here()
    found = register.study(name)
    require(who(), "study.start", of=found.lead)
    if was_taken(register, name):
        raise InputError(
            f"study {name} is led on another installation", way_out="There it is started, resumed, and admitted to."
        )
    return register, found


def refuse_stranger(found: Study, hospital: str, *, lead: bool = False) -> None:
    """A hospital that is not in a study does not learn that there is one."""
    from consilium.alliance.joint_training.told import refuse_stranger as refuse

    refuse(found, hospital, lead=lead)
