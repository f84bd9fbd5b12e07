"""Commands that are no recipe and are recorded as one: a run of each makes or reads something, and compares nothing."""

AUDIT, IMPORT, INSPECT, RETRIEVE = "audit", "import", "inspect", "retrieve"
ALONE = (AUDIT, IMPORT, INSPECT, RETRIEVE)
