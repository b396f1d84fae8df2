"""Every form that changes something brings along the token of its session."""

from __future__ import annotations

import re
from importlib import resources

FORM = re.compile(r"<form\b[^>]*method=\"post\".*?</form>", re.DOTALL)
BEFORE_A_SESSION = "sign_in.html.j2"


def test_every_form_that_is_posted_has_the_token() -> None:
    folder = resources.files("consilium.web").joinpath("templates")
    seen = 0
    for template in folder.iterdir():
        if not template.name.endswith(".j2") or template.name == BEFORE_A_SESSION:
            continue
        for form in FORM.findall(template.read_text(encoding="utf-8")):
            seen += 1
            assert "csrf" in form or "form.hidden(" in form, (template.name, form[:200])
    assert seen > 20
