"""What the analysis needs of a workstation: the files, the cells that are open, the pictures that were drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.pictures import Pictures
from consilium.web.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One a workstation.

    Attributes:
        files: pictures and readings.
        cells: that are open.
        pictures: that can be served.
    """

    files: Files
    cells: OpenCells
    pictures: Pictures


def analysis_in(settings: Settings) -> Analysis:
    """The analysis of a workstation."""
    files = Files(settings.files)
    return Analysis(files=files, cells=OpenCells(files), pictures=Pictures(files))


def analysis_of(request: Request) -> Analysis:
    """The analysis of the workstation that is asked."""
    found: Analysis = request.app.state.analysis
    return found


Bench = Annotated[Analysis, Depends(analysis_of)]
