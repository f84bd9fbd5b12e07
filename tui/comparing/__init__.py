"""The parts of the compare screen: the contrast, the queries, the rankings, and why."""
