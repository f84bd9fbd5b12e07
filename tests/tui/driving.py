"""Driving the screens by their keys."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from store import Store
from store.query import runs
from tui.app import Workbench
from tui.page import Page
from tui.pages import PAGES
from tui.pages.compare import Compare

Steps = Callable[[Any, Workbench], Awaitable[None]]


def drive(store: Store, steps: Steps, size: tuple[int, int] = (120, 40), chosen: list[str] | None = None) -> None:
    """Open the screens, wait for the runs, then do the steps."""

    async def main() -> None:
        app = Workbench(Store(store.folder), chosen)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app._stamp != (-1, -1))
            await pilot.pause()
            await steps(pilot, app)

    asyncio.run(main())


async def until(pilot: Pilot[Any], true: Callable[[], Any], seconds: float = 15) -> None:
    """Wait for something to become true."""
    for _ in range(int(seconds / 0.02)):
        if true():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError("it never became true")


async def go(pilot: Pilot[Any], app: Workbench, name: str) -> Page:
    """To a page, by its number."""
    await pilot.press(str(PAGES.names().index(name) + 1))
    await until(pilot, lambda: isinstance(app.screen, Page) and name == app.screen.PAGE)
    await pilot.pause()
    assert isinstance(app.screen, Page)
    return app.screen


async def compared(pilot: Pilot[Any], app: Workbench) -> Compare:
    """Wait for the compare screen to show a query with its passages."""
    await until(pilot, lambda: isinstance(app.screen, Compare) and app.screen.shown and app.screen.shown.filled)
    assert isinstance(app.screen, Compare)
    return app.screen


def text(page: Page, selector: str) -> str:
    """What a widget says."""
    return str(page.query_one(selector, Static).render())


def ids(store: Store, **about: Any) -> list[str]:
    """Run ids by system and the like."""
    return [r["run_id"] for r in runs(store) if all(r[k] == v for k, v in about.items())]
