from typing import Annotated

import typer

StudyFormatOption = Annotated[str, typer.Option("--format")]


def results() -> None: ...
def figure() -> None: ...
def show_study(at, study_id, form) -> None:
    from store.query import rows

    with at.reading() as con:
        for row in rows(
            con,
            "select effect, system, trained_on, query_variety, levels, dose, estimate, ci_low, ci_high, p_value, why_not from effects where study_id=? and effect<>'curve'",
            [study_id],
        ):
            print(row)
