"""Ctrl+C, typed while Python cannot hear it."""

import signal
import subprocess
import sys
import time
from textwrap import indent

import pytest


def ended(app: str, typed: int = 1) -> tuple[int, float, str]:
    """How `lsw` ends if Ctrl+C is typed while it does `app`, after how many seconds, and what it says."""
    code = f"""
import sys
from workbench.cli import interrupt, main
def app():
    print('at work', flush=True)
{indent(app, "    ")}
main.app = app
main.main()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout
        assert process.stdout.readline()
        time.sleep(1)
        started = time.monotonic()
        for _ in range(typed):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        try:
            said = process.communicate(timeout=30)[1]
        finally:
            process.kill()
    return process.returncode, time.monotonic() - started, said


DUCKDB = "import duckdb; duckdb.sql('SELECT max(hash(a)) FROM range(1000000000000) t(a)').fetchall()"
POOL = """
import time
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(1) as pool:
    pool.submit(time.sleep, 60).result()
"""
TURNED = "try:\n    import time; time.sleep(60)\nexcept KeyboardInterrupt:\n    raise RuntimeError('Query interrupted')"


@pytest.mark.parametrize("app", [DUCKDB, POOL], ids=["native", "pool"])
def test_a_second_one_ends_it_now(app: str) -> None:
    status, seconds, said = ended(app, typed=2)
    assert (status, "Interrupted" in said) == (130, True)
    assert seconds < 5


def test_what_has_nothing_to_record_ends_at_once() -> None:
    status, seconds, said = ended(f"interrupt.at_once()\n{DUCKDB}")
    assert (status, "Interrupted" in said) == (130, True)
    assert seconds < 3


def test_what_does_not_end_in_time_is_ended() -> None:
    status, seconds, said = ended(f"interrupt._grace = 1\n{DUCKDB}")
    assert (status, "Interrupted" in said) == (130, True)
    assert seconds < 6


def test_what_native_code_makes_of_it_is_an_interruption_still() -> None:
    status, _, said = ended(TURNED)
    assert (status, "fault of lsw" in said) == (130, False)
