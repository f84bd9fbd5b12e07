"""What every analysis gives is a row of the store, with a reason or an estimate."""

import json

import pyarrow as pa

from tests.workbench.studies import test_budget, test_difference_in_differences, test_dose_response
from tests.workbench.studies.simulated import Row, effects
from workbench.stages.analyse import EFFECT


def test_rows_are_the_stores() -> None:
    made = test_dose_response.grid([0, 30, 60, 120, 240], control=True)
    made.runs = [run for run in made.runs if run.levels[test_dose_response.FACTOR] != 60]
    found: dict[str, list[Row]] = {
        "dose-response": effects("dose-response", made.evidence(**test_dose_response.TRUTH)),
        "budget": test_budget.analysed(test_budget.grid(topics=9), cost=test_budget.WORDS),
        "difference-in-differences": test_difference_in_differences.analysed(test_difference_in_differences.grid()),
    }
    for rows in found.values():
        table = pa.Table.from_pylist(rows, schema=EFFECT)
        assert len(table) == len(rows) > 10
        for row, stored in zip(rows, table.to_pylist(), strict=True):
            assert set(row) <= set(EFFECT.names)
            assert all(stored[name] == value for name, value in row.items())
            assert isinstance(json.loads(row["levels"]), dict) and isinstance(json.loads(row["detail"]), dict)
            assert (row.get("estimate") is None) == bool(row.get("why_not"))
            if row.get("p_value") is not None:
                assert 0 < row["p_value"] <= row["p_corrected"] <= 1
                assert row["family"] and row["family_size"] and row["correction"] and row["test"]
            if row.get("estimate") is not None and row.get("models"):
                assert row["n"] and row["n_groups"]
