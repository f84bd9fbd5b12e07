"""Translation services, asked politely: not too often, again after a fault, each text once.

The services are deep-translator's, by name. What it lacks is here: the varieties its table leaves out, a time limit, a
rate, retries, and errors that do not show the key.
"""

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass
from typing import Any

from store import LswError, nearest
from workbench.varieties import Variety, variety

COLLECTION, FILE, SEQ2SEQ, APERTIUM = "collection", "file", "seq2seq", "apertium"
"""Translators that are no service: the collection's own parallel queries, a file of translations, a checkpoint, and
Apertium, a program."""


@dataclass(frozen=True)
class Service:
    """One of deep-translator's services.

    Args:
        translator: its class there.
        keys: environment variables with its keys, by the constructor's argument.
        url: the constructor's argument for another address than its own, if it takes one.
        longest: characters of a text at most.
        newer: it offers more than deep-translator's table says; what it lacks, it says itself.
    """

    translator: str
    keys: dict[str, str]
    url: str | None = None
    longest: int = 5_000
    newer: bool = False


SERVICES = {
    "google": Service("GoogleTranslator", {}, newer=True),
    "mymemory": Service("MyMemoryTranslator", {}, longest=500),
    "deepl": Service("DeeplTranslator", {"api_key": "DEEPL_API_KEY"}),
    "libre": Service("LibreTranslator", {"api_key": "LIBRE_API_KEY"}, url="custom_url", newer=True),
    "microsoft": Service("MicrosoftTranslator", {"api_key": "MICROSOFT_API_KEY"}),
    "yandex": Service("YandexTranslator", {"api_key": "YANDEX_API_KEY"}),
    "papago": Service("PapagoTranslator", {"client_id": "PAPAGO_CLIENT_ID", "secret_key": "PAPAGO_SECRET_KEY"}),
    "qcri": Service("QcriTranslator", {"api_key": "QCRI_API_KEY"}),
    "baidu": Service("BaiduTranslator", {"appid": "BAIDU_APPID", "appkey": "BAIDU_APPKEY"}),
}
NAMES = (COLLECTION, FILE, SEQ2SEQ, APERTIUM, *SERVICES)


class Refused(Exception):
    """The service will not translate this, however often it is asked."""


def version() -> str:
    """Of the library behind the services, as a stage records it."""
    from importlib.metadata import version as installed

    return f"deep-translator {installed('deep-translator')}"


def asking(name: str, source: str, target: str, timeout: float, url: str | None = None) -> Callable[[str], str]:
    """What asks a service once for one text.

    Args:
        name: one of `SERVICES`.
        source, target: varieties.
        timeout: seconds to wait for an answer.
        url: of a service of one's own (LibreTranslate).

    Raises:
        LswError: an unknown service, a key that is not in the environment, a variety that the service does not offer.
    """
    import deep_translator
    from deep_translator.exceptions import LanguageNotSupportedException

    if name not in SERVICES:
        raise LswError(f"Unknown translator '{name}'.", cure=nearest(name, NAMES))
    service = SERVICES[name]
    keys = {argument: os.environ.get(variable, "") for argument, variable in service.keys.items()}
    missing = [service.keys[argument] for argument, key in keys.items() if not key]
    if missing and not (name == "libre" and url):
        raise LswError(f"The translator '{name}' wants a key.", cure=f"Set {' and '.join(missing)} in the environment.")
    options: dict[str, Any] = {a: k or "none" for a, k in keys.items()}
    if url and service.url:
        options[service.url] = url
    made = getattr(deep_translator, service.translator)
    pairs = _codes(variety(source), variety(target))
    if service.newer:
        translator = made(**options)
        translator.source, translator.target = pairs[0]
    else:
        for codes in pairs:
            try:
                translator = made(source=codes[0], target=codes[1], **options)
                break
            except LanguageNotSupportedException:
                continue
        else:
            raise LswError(
                f"The translator '{name}' does not offer {variety(source).name} to {variety(target).name}.",
                cure="Choose another: google offers all varieties of lsw.",
            )
    pool = ThreadPoolExecutor(1, thread_name_prefix="translator")

    def ask(text: str) -> str:
        nonlocal pool
        if len(text) > service.longest:
            raise Refused(f"it has {len(text)} characters, and {name} takes {service.longest}")
        answer = pool.submit(translator.translate, text)
        try:
            said = answer.result(timeout)
        except TooLong:
            pool.shutdown(wait=False)  # the request is left to itself
            pool = ThreadPoolExecutor(1, thread_name_prefix="translator")
            raise TimeoutError(f"no answer in {timeout:g} s") from None
        if not isinstance(said, str) or not said.strip():
            raise ValueError("an empty answer")
        return " ".join(said.split())

    return ask


def _codes(source: Variety, target: Variety) -> list[tuple[str, str]]:
    """What a service may call two varieties: Google's codes, ours, and the language alone."""
    names = [[v.google or v.code, v.code, (v.google or v.code).split("-")[0]] for v in (source, target)]
    return list(dict.fromkeys(zip(*names, strict=True)))


def patiently(
    ask: Callable[[str], str],
    rate: float,
    retries: int,
    note: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Callable[[str], str]:
    """Ask no more often than `rate` times a second, and again after a fault, each time twice as late.

    Args:
        ask: asks once.
        rate: requests a second.
        retries: after the first fault.
        note: told of each fault.
        sleep: waits.

    Returns:
        what asks until there is an answer; the last fault comes out if there is none.
    """
    last = 0.0

    def until_answered(text: str) -> str:
        nonlocal last
        for attempt in range(retries + 1):
            sleep(max(0.0, last + 1 / rate - time.monotonic()))
            last = time.monotonic()
            try:
                return ask(text)
            except Refused:
                raise
            except Exception as fault:
                if attempt == retries:
                    raise
                wait = min(60.0, 2.0**attempt) * (1 + random.random() / 4)  # so that two recipes do not ask together
                note(f"{describe(fault)}; asking again in {wait:.0f} s")
                sleep(wait)
        raise AssertionError("unreachable")

    return until_answered


def describe(fault: Exception) -> str:
    """A fault in words, without what it carries: some of deep-translator's carry the key."""
    kinds = {
        "TooManyRequests": "too many requests (429)",
        "RequestError": "the service answered with an error",
        "ServerException": "the service answered with an error",
        "TranslationNotFound": "an answer without a translation",
        "AuthorizationException": "the service does not take the key",
        "ApiKeyException": "the key is missing",
        "JSONDecodeError": "an answer that cannot be read",
        "ConnectionError": "no connection",
        "ChunkedEncodingError": "an answer cut short",
        "Refused": str(fault),
        "TimeoutError": str(fault),
        "ValueError": str(fault),
    }
    name = type(fault).__name__
    return kinds.get(name, name)
