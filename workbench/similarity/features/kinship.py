"""Whether two varieties are written in one script, and are of one family."""

from workbench.similarity.base import Feature, Measured, Wordings
from workbench.varieties import variety

SOURCE = "varieties.toml"


class Kinship(Feature):
    """`same-script` and `same-family`, 1 or 0, of the pair, by the table of varieties: Traditional and Simplified Han
    are two scripts, and a family is a branch as Romance or Germanic is. `uriel-genetic` has degrees."""

    def measure(self, of: Wordings) -> list[Measured]:
        low, high = variety(of.on.low), variety(of.on.high)
        return [
            Measured("same-script", float(low.script == high.script), 1, SOURCE),
            Measured("same-family", float(low.family == high.family), 1, SOURCE),
        ]
