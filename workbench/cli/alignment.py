"""`lsw alignment`: how a training aligned the tokens of two wordings."""

from typing import Annotated

import typer

from workbench.cli.console import JsonOption, StoreOption, opened, out, print_json, talk


def alignment(
    model: Annotated[str, typer.Argument(help="A model's key, or how it begins (model_key of the view finetunes).")],
    text: Annotated[str, typer.Argument(help="The id of a text that is kept; the first if there is none.")] = "",
    before: Annotated[bool, typer.Option("--before", help="As it was before training.")] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Which tokens of a parallel text carry over to which: the transport plan of a model trained by `optical`.

    A line for each low-resource token, a column for each of the high-resource wording; the darker, the more goes there.
    At the end of a line, where most of it goes, and what share.
    """
    from store.artifacts import short
    from store.browse import aligned
    from store.browse import alignment as of_text
    from workbench.reports._alignment import drawn

    at = opened(store)
    key, ids = aligned(at, model)
    rows = of_text(at, key, text or ids[0])
    if as_json:
        print_json(rows)
        return
    out().print(drawn(rows, "weight_before" if before else "weight"), soft_wrap=True)
    talk().print(f"{rows[0]['id']} of {short(key)}. Kept of this model: {', '.join(ids)}.")
