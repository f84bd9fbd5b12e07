"""The screens in a browser of this machine: each tab has a process of its own, which ends with the tab or with this
one."""

import asyncio
import errno
import logging
import os
import shlex
import signal
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from store import LswError

TEMPLATES = Path(__file__).parent / "templates"
"""Our page; scripts and fonts are those of textual-serve, from this machine."""
GRACE = 3.0
"""Seconds that the screens of a tab have to end by themselves."""
SIZE = {"width": 80, "height": 24}
"""Of a tab that does not say its own, in characters."""


class Screens(AppService):  # type: ignore[misc]
    """The process of one tab."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # No shell between, and not of the terminal's group: Ctrl+C there is for this process, which ends them.
        self._process = process = await asyncio.create_subprocess_exec(
            *shlex.split(self.command), stdin=PIPE, stdout=PIPE, start_new_session=True,
            env=self._build_environment(width=width, height=height),
        )  # fmt: skip
        self._stdin = process.stdin
        process.stderr = asyncio.StreamReader()  # what it complains of is told where this process runs, at once
        process.stderr.feed_eof()
        return process

    async def run(self) -> None:
        """Carry what it draws until it ends, however it ends; then its tab is told."""
        with suppress(asyncio.CancelledError):  # by itself only: it cancels what reads the errors, begun or not
            await super().run()
        await self.remote_close()

    async def stop(self) -> None:
        """Ask it to end; after some seconds make it."""
        if self._task is None or self._process is None:
            return
        asked = asyncio.ensure_future(super().stop())
        _, late = await asyncio.wait([asked, asyncio.ensure_future(self._process.wait())], timeout=GRACE)
        if late:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await asked


class Local(Server):  # type: ignore[misc]
    """Listens on localhost, answers its own pages only (another site's script may not drive the screens), and loads
    nothing from elsewhere."""

    def __init__(self, command: str, port: int) -> None:
        super().__init__(command, host="localhost", port=port, title="lsw", templates_path=TEMPLATES)
        self.tabs: set[web.WebSocketResponse] = set()

    async def _make_app(self) -> web.Application:
        app: web.Application = await super()._make_app()
        names = ("localhost", "127.0.0.1", "[::1]")
        hosts = {name if self.port == 80 else f"{name}:{self.port}" for name in names}
        pages = {f"http://{host}" for host in hosts}
        places = " ".join(sorted(pages))
        policy = (
            f"default-src 'none'; script-src {places}; style-src {places} 'unsafe-inline';"
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
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Nothing: the command has said where it serves."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close every tab; its process ends with it."""
        going = (tab.close(code=WSCloseCode.GOING_AWAY, message=b"lsw tui --web has stopped") for tab in self.tabs)
        await asyncio.gather(*going)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One tab: the screens in a process of their own."""
        tab = web.WebSocketResponse(heartbeat=15, timeout=GRACE)
        await tab.prepare(request)
        screens = Screens(
            self.command, write_bytes=tab.send_bytes, write_str=tab.send_str, close=tab.close,
            download_manager=self.download_manager,
        )  # fmt: skip
        self.tabs.add(tab)
        try:
            await screens.start(*(to_int(request.query.get(name, ""), usual) for name, usual in SIZE.items()))
            await self._process_messages(tab, screens)
        except ConnectionError:
            pass  # it was closed while something was on its way
        finally:
            self.tabs.discard(tab)
            await screens.stop()
        return tab

    async def until_stopped(self) -> None:
        """Serve until Ctrl+C or SIGTERM; the processes of all tabs have ended then, and the port is free.

        Raises:
            LswError: another program has the port.
        """
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=2 * GRACE)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            await stopped.wait()
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            why = "in use by another program" if error.errno == errno.EADDRINUSE else "not for every user"
            raise LswError(f"The port {self.port} is {why}.", cure="Give another: --port 8001.") from None
        finally:
            await runner.cleanup()


def serve(command: str, port: int) -> None:
    """Serve until Ctrl+C or SIGTERM; each browser tab gets a process of its own.

    Raises:
        LswError: another program has the port.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    asyncio.run(Local(command, port).until_stopped())
