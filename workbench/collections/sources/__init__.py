"""Public places that parts of a collection come from, each one file: ir_datasets, data sets of the hub, files.

A source is written `name:address`, as in `irds:mmarco/v2/fr`; what has no name is the path of a file.
"""

import re

from store import LswError
from workbench.collections.sources.base import Source
from workbench.registry import Registry

SOURCES = Registry(Source, "source", ("workbench.collections.sources",), "lsw.sources")

_NAMED = re.compile(r"([a-z][a-z0-9-]+):(.*)", re.DOTALL)  # two letters at least: C:\ is a path


def named(text: str) -> bool:
    """Whether a text names a source, and not a path."""
    return _NAMED.fullmatch(text) is not None


def source(text: str, fields: tuple[str, ...] = ("title",)) -> Source:
    """The source that a text names.

    Args:
        text: `name:address`, or the path of a file of queries.
        fields: of a topic that make the query.

    Raises:
        LswError: an unknown name; the nearest one is offered.
    """
    match = _NAMED.fullmatch(text)
    name, address = (match[1], match[2]) if match else ("file", text)
    try:
        part = SOURCES.part(name)
    except LswError as error:
        cure = f"{error.cure} Write name:address, as in irds:mmarco/v2/fr, or the path of a file."
        raise LswError(f"Unknown source '{name}' in '{text}'.", error.detail, cure) from None
    return part(address=address, fields=fields)
