"""The screens in a browser of this machine."""

import re
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from textual_serve.server import Server

FONT = """<style>@font-face {
    font-family: "Roboto Mono"; src: url("{{ config.static.url }}fonts/RobotoMono-VariableFont_wght.ttf");
}</style>"""
"""The font of textual-serve's page, from this machine: its template asks another host for it."""


class Local(Server):  # type: ignore[misc]
    """Listens on localhost, answers its own pages only (another site's script may not drive the screens), and loads
    nothing from elsewhere."""

    async def _make_app(self) -> web.Application:
        app: web.Application = await super()._make_app()
        names = ("localhost", "127.0.0.1", "[::1]")
        hosts = {name if self.port == 80 else f"{name}:{self.port}" for name in names}
        pages = {f"http://{host}" for host in hosts}
        places = " ".join(sorted(pages))
        policy = (
            f"default-src 'none'; script-src {places} 'unsafe-inline'; style-src {places} 'unsafe-inline';"
            f" img-src {places} data:; font-src {places} data:; connect-src {places} {places.replace('http', 'ws')};"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            # What is no browser names no origin; a browser does whenever it opens a websocket, "null" in a sandbox.
            if request.host not in hosts or request.headers.get("Origin", f"http://{request.host}") not in pages:
                raise web.HTTPForbidden(text="Only pages of this machine's lsw are answered.")
            response: web.StreamResponse = await handler(request)
            return response

        async def confine(request: web.Request, response: web.StreamResponse) -> None:
            response.headers["Content-Security-Policy"] = policy

        app.middlewares.append(guard)
        app.on_response_prepare.append(confine)
        aiohttp_jinja2.get_env(app).loader = jinja2.FunctionLoader(self._template)
        return app

    def _template(self, name: str) -> str:
        """A template of textual-serve with what it links to on other hosts left out."""
        text = (self.templates_path / name).read_text("utf-8")
        return re.sub(r"<link\b[^>]*\bhref=\"(https?:)?//[^>]*>", lambda _: FONT, text)


def serve(command: str, port: int) -> None:
    """Serve until Ctrl+C; each browser tab gets a process of its own."""
    Local(command, host="localhost", port=port, title="lsw").serve()
