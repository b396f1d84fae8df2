"""Whether the workstation runs; the one question that anybody may ask."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from consilium import __version__
from consilium.web.context import Records

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """It runs, and its database answers."""

    status: str
    version: str


@router.get("/health")
def health(records: Records) -> Health:
    """Say that the workstation runs and that its database answers."""
    from sqlalchemy import text

    with records.reading() as session:
        session.execute(text("SELECT 1"))
    return Health(status="ok", version=__version__)
