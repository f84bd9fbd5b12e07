"""Text as searching and marking see it: without case, accents, and the difference of Traditional and Simplified."""

import unicodedata

from workbench.text import convert


class _Simplified(dict[int, str]):
    """Each character's Simplified form, looked up once; for `str.translate`."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = convert([character], "zh", "simplified")[0] if code >= 0x3400 else character
        return self[code]


_SIMPLIFIED = _Simplified()


def simplified(text: str) -> str:
    """Of equal length, character by character."""
    return text.translate(_SIMPLIFIED)


def folded(text: str) -> str:
    """To be searched; its length may differ."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return simplified("".join(c for c in plain if not unicodedata.combining(c)))
