"""How a page comes about: a template of `templates/`, the words of its reader's language, who she is.

Pages work under a policy that allows no inline script and no inline style, so that nothing that a record holds can run.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse

from consilium import __version__
from consilium.web.context import Signed, lang_of
from consilium.web.messages.chinese import told_in
from consilium.web.navigation import rooms_for
from consilium.web.wording.language import HTML_LANG
from consilium.web.wording.words import say, words

if TYPE_CHECKING:
    from jinja2 import Environment


def page(request: Request, template: str, *, signed: Signed | None, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a page.

    Args:
        request: what was asked.
        template: a file of `templates/`; it extends `base.html.j2`.
        signed: whoever reads; None before she signed in.
        status: of the answer.
        values: what the template shows; it is escaped there.
    """
    lang = lang_of(request) if signed is None else signed.lang
    html = _environment().get_template(template).render(
        t=partial(_say, lang), told_in=partial(told_in, lang), tell=partial(_sentence, lang),
        term=partial(_term, lang), terms=partial(_terms, lang),
        lang=lang, html_lang=HTML_LANG[lang],
        other_lang="zh" if lang == "en" else "en",
        signed=signed, csrf="" if signed is None else signed.csrf, path=request.url.path,
        here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        rooms=() if signed is None else rooms_for(signed), version=__version__, was_done=_done(request, lang), **values,
    )  # fmt: skip
    return HTMLResponse(html, status_code=status)


def sign_in_address(request: Request) -> str:
    """Where somebody signs in and comes back from to what she asked for."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in?" + urlencode({"next": back})


def _terms(lang: Any, group: str, values: Iterable[str]) -> dict[str, str]:
    """Terms to choose from: as the records have them -> as people read them."""
    return {value: _term(lang, group, value) if group else value for value in values}


def _done(request: Request, lang: Any) -> str:
    """What the form did that led here; only words of ours, whatever an address says."""
    key = f"done.{request.query_params.get('done', '')}"
    return say(key, lang) if key in words() else ""


def _sentence(lang: Any, text: str) -> str:
    """What an error says, in the reader's language and with its full stop."""
    found = told_in(lang, text)
    if not found or found[-1] in ".。":
        return found
    return found + ("." if found == text else "。")


def _say(lang: Any, key: str, **values: object) -> str:
    return say(key, lang, **values)


def _term(lang: Any, group: str, value: str) -> str:
    """A term of the laboratory, e.g. of the group "state"; one that has no words of its own is shown as it is."""
    key = f"{group}.{value.replace(' ', '_')}"
    return say(key, lang) if key in words() else value


def load_templates() -> None:
    """Load every template: when all who begin their day ask for the first page at once, each would load its own."""
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("consilium.web"), autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals["static"] = _static
    return made


def _static(path: str) -> str:
    """The address of a file of ours; it changes with the file, so that browsers may keep it for good."""
    return f"/static/{path}?v={_digest(path)}"


@cache
def _digest(path: str) -> str:
    import hashlib

    return hashlib.sha256(resources.files("consilium.web").joinpath("static", path).read_bytes()).hexdigest()[:12]
