"""The screens in a browser of this machine."""

from typing import Any

from aiohttp import web
from textual_serve.server import Server


class Local(Server):  # type: ignore[misc]
    """Listens on localhost and answers its own pages only: another site's script may not drive the screens."""

    async def _make_app(self) -> web.Application:
        app: web.Application = await super()._make_app()
        own = {f"localhost:{self.port}", f"127.0.0.1:{self.port}"}

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            origin = request.headers.get("Origin", "").partition("://")[2]
            if request.host not in own or (origin and origin not in own):
                raise web.HTTPForbidden(text="Only pages of this machine's lsw are answered.")
            response: web.StreamResponse = await handler(request)
            return response

        app.middlewares.append(guard)
        return app


def serve(command: str, port: int) -> None:
    """Serve until Ctrl+C; each browser tab gets a process of its own."""
    Local(command, host="localhost", port=port, title="lsw").serve()
