"""The screens in a browser: this machine's own page drives them, no other; nothing comes from another host."""

import asyncio
import re

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tui.web import Local

PORT = 8000
WEBSOCKET = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eA" * 11 + "=="}  # fmt: skip


def answer(path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one request to the page as `lsw tui --web` serves it."""

    async def ask() -> tuple[int, dict[str, str], str]:
        app = await Local("true", port=PORT)._make_app()
        app.on_startup.clear()  # which greets on stdout
        async with TestClient(TestServer(app)) as client:
            response = await client.get(path, headers={"Host": f"localhost:{PORT}", **headers})
            text = await response.text(errors="replace") if response.status != 101 else ""
            return response.status, dict(response.headers), text

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/ws"])
@pytest.mark.parametrize(
    "origin",
    ["null", "file://", "", "http://evil.example", "http://localhost", f"http://localhost:{PORT + 1}",
     f"https://localhost:{PORT}", f"chrome-extension://localhost:{PORT}", f"http://localhost:{PORT}.evil.example"],
)  # fmt: skip
def test_pages_from_elsewhere_are_refused(path: str, origin: str) -> None:
    assert answer(path, Origin=origin, **WEBSOCKET)[0] == 403


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "localhost", f"localhost:{PORT + 1}"])
def test_names_that_are_not_this_machines_are_refused(host: str) -> None:
    """A site whose name was made to mean 127.0.0.1."""
    assert answer("/", Host=host)[0] == 403
    assert answer("/ws", Host=host, Origin=f"http://{host}", **WEBSOCKET)[0] == 403


@pytest.mark.parametrize("host", [f"localhost:{PORT}", f"127.0.0.1:{PORT}", f"[::1]:{PORT}"])
def test_its_own_page_is_answered(host: str) -> None:
    assert answer("/", Host=host)[0] == 200
    assert answer("/", Host=host, Origin=f"http://{host}")[0] == 200
    assert answer("/ws", Host=host, Origin=f"http://{host}", **WEBSOCKET)[0] == 101


def test_nothing_comes_from_another_host() -> None:
    _, headers, page = answer("/")
    named = set(re.findall(r"(?:src|href)\s*=\s*\"(?:https?:)?//([^/\"]+)|url\(\"?(?:https?:)?//([^/\")]+)", page))
    assert {host for pair in named for host in pair if host} == {f"localhost:{PORT}"}
    assert "Roboto Mono" in page
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert set(re.findall(r"(?:http|ws)s?://([^ ;]+)", policy)) == {
        f"{host}:{PORT}" for host in ("localhost", "127.0.0.1", "[::1]")
    }
    [font] = re.findall(r"url\(\"http://localhost:8000(/static/fonts/[^\"]+)\"\)", page)
    assert answer(font)[0] == 200
