"""Benchmarks, run by hand: `python -m tests.benchmarks` (or `--small`), after `pip install -e ".[bench]"`."""
