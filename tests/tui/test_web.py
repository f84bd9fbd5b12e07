"""The screens in a browser: this machine's own page drives them, no other; nothing comes from another host."""

import asyncio
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from store import LswError, Store
from tests.conftest import ROOT
from tests.workbench.engine.test_execute import heed_interrupts
from tui.web import Local, serve

PORT = 8000
WEBSOCKET = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eA" * 11 + "=="}  # fmt: skip


def answer(path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one request to the page as `lsw tui --web` serves it."""

    async def ask() -> tuple[int, dict[str, str], str]:
        app = await Local("true", port=PORT)._make_app()
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


class Linked(HTMLParser):
    """What a page names: in attributes, and in its styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.named: list[str] = []
        self.scripts = 0
        self.texts: list[str] = []
        self.under: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.under.append(tag)
        self.scripts += tag == "script" and "src" not in dict(attributes)
        for name, value in attributes:
            assert not name.startswith("on"), f"{tag} has a script of its own: {name}"
            if name in ("src", "href", "srcset", "data", "action", "poster") or name.startswith("data-"):
                self.named.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.under[-1:] == ["style"]:
            assert "@import" not in data
            self.named += re.findall(r"url\(\s*[\"']?([^\"')]+)", data)
        else:
            self.texts.append(data)


def test_nothing_comes_from_another_host() -> None:
    _, headers, page = answer("/")
    linked = Linked(page)
    places = [urlsplit(name) for name in linked.named]
    assert {place.netloc for place in places if place.scheme not in ("", "data")} == {f"localhost:{PORT}"}
    assert {place.netloc for place in places if place.scheme in ("", "data")} == {""}
    assert linked.scripts == 0
    local = [place.path for place in places if place.path.startswith("/static")]
    fonts = [path for path in local if path.endswith(".ttf")]
    assert len(set(fonts)) == 2  # upright and italic
    assert {answer(path)[0] for path in local} == {200}
    [style] = [path for path in local if path.endswith(".css")]
    assert not re.findall(r"url\(|@import", answer(style)[2])
    rules = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    named = re.findall(r"(?:http|ws)s?://([^ ;]+)", headers["Content-Security-Policy"])
    assert set(named) == {f"{host}:{PORT}" for host in ("localhost", "127.0.0.1", "[::1]")}


def test_the_page_says_that_it_starts_and_that_it_has_ended() -> None:
    page = answer("/")[2]
    said = " ".join(" ".join(Linked(page).texts).split())
    assert "starting lsw ..." in said
    assert "The screens have ended; reload to start again." in said
    assert "prefers-color-scheme: dark" in page
    # What the script of textual-serve marks on the page.
    script = answer("/static/js/textual.js")[2]
    for mark in ("-first-byte", "-closed"):
        assert f'"{mark}"' in script and f"body.{mark} " in page
    for name in ("data-session-websocket-url", "data-font-size", 'class="textual-terminal"'):
        assert name in page


# Processes.

HUNG = """
import os, sys, time
open(sys.argv[1], "w").write(str(os.getpid()))
print("__GANGLION__", flush=True)
time.sleep(99)
"""


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("localhost", 0))
        return int(some.getsockname()[1])


def children(pid: int) -> list[int]:
    """The processes that a process has begun and that are there yet."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = path.read_text("utf-8").rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(path.parent.name))
    return found


def there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def drawn(port: int, process: "subprocess.Popen[str]") -> tuple[list[int], aiohttp.WSMessage]:
    """Open a tab and wait for its first screen, then do as told; the tab's processes and the last message it had."""
    async with aiohttp.ClientSession() as session:
        for _ in range(200):
            with suppress(aiohttp.ClientConnectionError):
                tab = await session.ws_connect(f"ws://localhost:{port}/ws?width=80&height=24")
                break
            assert process.poll() is None, process.communicate()
            await asyncio.sleep(0.1)
        size = 0
        while size < 2000:
            size += len((await tab.receive(timeout=30)).data)
        pids = children(process.pid)
        process.send_signal(signal.SIGTERM)
        while (last := await tab.receive(timeout=10)).type is aiohttp.WSMsgType.BINARY:
            pass
        return pids, last


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_sigterm_ends_the_screens_too(made: Store) -> None:
    port = free_port()
    command = [sys.executable, "-m", "workbench.cli.main", "tui", "--web", "--port", str(port)]
    process = subprocess.Popen([*command, "--store", str(made.folder)], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    pids, last = asyncio.run(drawn(port, process))
    began = time.monotonic()
    _, told = process.communicate(timeout=10)
    assert time.monotonic() - began < 3
    assert (process.returncode, last.type) == (0, aiohttp.WSMsgType.CLOSE)
    assert "Traceback" not in told
    assert pids and not any(there(pid) for pid in pids)
    with socket.create_server(("localhost", port)):  # it is free
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_screens_that_hang_are_ended_with_it(tmp_path: Path, number: int) -> None:
    at, port = tmp_path / "pid", free_port()
    hung = shlex.join([sys.executable, "-c", HUNG, str(at)])
    code = f"import tui.web; tui.web.GRACE = 0.3; tui.web.serve({hung!r}, {port})"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, preexec_fn=heed_interrupts)

    async def opened() -> aiohttp.WSMsgType:
        async with aiohttp.ClientSession() as session:
            for _ in range(100):
                with suppress(aiohttp.ClientConnectionError):
                    tab = await session.ws_connect(f"ws://localhost:{port}/ws")
                    break
                await asyncio.sleep(0.1)
            while not (at.exists() and at.read_text()):
                await asyncio.sleep(0.02)
            process.send_signal(number)
            return (await tab.receive(timeout=10)).type

    assert asyncio.run(opened()) is aiohttp.WSMsgType.CLOSE
    assert process.wait(5) == 0
    assert not there(int(at.read_text()))


def test_a_tab_whose_process_has_ended_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """As when it fails to start: the page does not say for ever that it starts, and why is told here."""
    command = "sh -c 'echo It has no store. >&2; exit 1'"

    async def opened() -> aiohttp.WSMsgType:
        app = await Local(command, port=PORT)._make_app()
        async with TestClient(TestServer(app)) as client:
            tab = await client.ws_connect("/ws", headers={"Host": f"localhost:{PORT}"})
            return (await tab.receive(timeout=5)).type

    for _ in range(5):  # however quickly it ends
        assert asyncio.run(opened()) is aiohttp.WSMsgType.CLOSE
    told = capfd.readouterr()
    assert told.err.count("It has no store.") == 5
    assert told.out == ""


def test_a_port_that_is_taken_is_said() -> None:
    port = free_port()
    with socket.create_server(("localhost", port)), pytest.raises(LswError, match=f"port {port} is in use"):
        serve("true", port)
