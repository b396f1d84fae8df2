"""What every answer tells the browser: run nothing but our own files, keep nothing, be framed by nobody."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Content Security Policy, level 3. There is no inline script and no inline style in any page."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), serial=(), usb=()"
    ),
}
HSTS = "max-age=63072000"
"""Two years. Without includeSubDomains: other machines of the hospital are not ours to decide for."""


class SafeHeaders:
    """Puts the headers on every answer; one without a rule of its own for caches is not kept.

    Args:
        app: that answers.
        secure: whether browsers come by TLS, and are to come by nothing else from now on.
    """

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app, self.secure = app, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A document that may run nothing and is of no origin may bring along its own style.
                boxed = headers.get("Content-Security-Policy", "").startswith("sandbox;")
                for name, value in HEADERS.items():
                    if not (boxed and name == "Content-Security-Policy"):
                        headers[name] = value
                if self.secure:
                    headers["Strict-Transport-Security"] = HSTS
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, sending)
