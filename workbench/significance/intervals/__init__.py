"""Bootstrap intervals, each one file."""

from workbench.registry import Registry
from workbench.significance.intervals.base import Interval

INTERVALS = Registry(
    Interval, "interval", ("workbench.significance.intervals",), "lsw.intervals", ("percentile", "bca")
)
