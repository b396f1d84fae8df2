"""The switch between the two languages."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from consilium.web.context import Run
from consilium.web.wording.language import LANGUAGES

router = APIRouter()
_YEAR = 365 * 24 * 3600


@router.post("/language")
def choose(run: Run, lang: str = Form(), back: str = Form("/")) -> RedirectResponse:
    """Read on in another language; anybody may, and nothing else changes."""
    answer = RedirectResponse(own_address(back), status_code=303)
    if lang in LANGUAGES:
        answer.set_cookie(
            "consilium_lang", lang, max_age=_YEAR, httponly=True, samesite="strict", secure=run.secure, path="/"
        )
    return answer


def own_address(text: str) -> str:
    """An address of this workstation, or its first page: nobody is sent elsewhere by a link that was handed in."""
    parts = urlsplit(text)
    safe = text.startswith("/") and not text.startswith(("//", "/\\")) and not parts.netloc and text.isprintable()
    return text if safe and "\\" not in text else "/"
