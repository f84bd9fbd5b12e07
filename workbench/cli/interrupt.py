"""Ctrl+C ends a command whatever it is at: native code does not hear of it, a pool of threads waits for its work."""

import os
import select
import signal
import sys
import time
from contextlib import suppress
from threading import Lock, Thread
from typing import NoReturn

from workbench.cli.console import fail

GRACE = 10.0
"""Seconds that a command has to record that it was interrupted; a second Ctrl+C ends them."""

_leaving = Lock()
_grace = GRACE
_asked = False


def watch() -> None:
    """Begin to hear of Ctrl+C beside the main thread, which may be within native code."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # a shell that starts us with `&` has it ignored
    signal.signal(signal.SIGINT, _interrupted)
    heard, hears = os.pipe()
    os.set_blocking(hears, False)
    signal.set_wakeup_fd(hears, warn_on_full_buffer=False)
    Thread(target=_hear, args=(heard,), daemon=True).start()


def at_once() -> None:
    """Have Ctrl+C end the process where it is: nothing is written that could be left half done."""
    global _grace
    _grace = 0.0


def asked() -> bool:
    """Whether Ctrl+C was typed: native code may have made another error of it."""
    return _asked


def leave() -> NoReturn:
    """End the process with 130, whatever its threads are at; the second to come here waits for the first."""
    _leaving.acquire()
    fail("Interrupted.", cure="What is done is kept: type the same command to go on.")
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(130)


def _interrupted(number: int, frame: object) -> NoReturn:
    global _asked
    _asked = True
    raise KeyboardInterrupt


def _hear(heard: int) -> None:
    while os.read(heard, 1) != bytes([signal.SIGINT]):
        pass
    until = time.monotonic() + _grace
    while (left := until - time.monotonic()) > 0:
        if select.select([heard], [], [], left)[0] and os.read(heard, 1) == bytes([signal.SIGINT]):
            break
    leave()
