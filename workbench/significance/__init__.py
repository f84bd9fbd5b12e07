"""Tests, corrections, intervals and power, over units of queries."""
