"""x"""

import numpy as np

from workbench.studies.analyses.base import Analysis


class DoseResponse(Analysis):
    factor: str = "queries"

    def of(self, evidence, progress):
        out = []
        for run in evidence.runs:
            base = evidence.base(run)
            if run.trained_on and base:
                out.append(
                    {
                        "effect": "gain",
                        "system": run.system,
                        "trained_on": run.trained_on,
                        "query_variety": run.query_variety,
                        "levels": str(run.levels),
                        "estimate": float(np.nanmean(evidence.gains(run.run_id, base.run_id))),
                    }
                )
        return out
