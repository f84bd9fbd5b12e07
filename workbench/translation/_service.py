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
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from store import LswError
from workbench.registry import LOCAL, told
from workbench.talk import Summary
from workbench.translation.base import Desk, Journal, Translator
from workbench.varieties import Variety, variety

LONGEST_WAIT = 60.0
"""Seconds between two attempts at most."""
sleep = time.sleep
SECRETS = ("key", "token", "secret", "pass", "pwd", "auth", "credential", "signature")
"""What names of a URL's parameters have in them that carry a key."""


def _address(url: str | None) -> str | None:
    """The URL itself.

    Raises:
        LswError: it is none, or has a password or a key in it: recipes are kept in the store as they were resolved.
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        raise LswError("translation.url is no URL.") from None
    named = parse_qsl(f"{parts.query}&{parts.fragment}", keep_blank_values=True)
    if "@" in parts.netloc or any(word in name.lower() for name, _ in named for word in SECRETS):
        raise LswError(
            "translation.url has a password or a key in it, which the store would keep.",
            cure="Give the address alone, and the key in the environment (LIBRE_API_KEY, DEEPL_API_KEY, ...).",
        )
    return url


class Service(Translator):
    """One of deep-translator's services.

    Args:
        url: of a service of one's own, if it takes one.
        rate: requests a second.
        retries: after the first fault, each time twice as late.
        timeout: seconds to wait for an answer.

    `translator_class` is its class there, `keys` the environment variables with its keys by the constructor's
    argument, `url_argument` the constructor's argument for another address than its own, `longest` the characters of a
    text at most; `newer`: it offers more than deep-translator's table says, and what it lacks it says itself.
    """

    url: Annotated[str | None, LOCAL, AfterValidator(told(_address))] = None
    rate: Annotated[float, Field(ge=1e-4, le=1e6), LOCAL] = 2.0
    retries: Annotated[int, Field(ge=0, le=1_000), LOCAL] = 6
    timeout: Annotated[float, Field(gt=0, le=86_400), LOCAL] = 30.0

    translator_class: ClassVar[str] = ""
    keys: ClassVar[dict[str, str]] = {}
    url_argument: ClassVar[str] = ""
    longest: ClassVar[int] = 5_000
    newer: ClassVar[bool] = False

    def translate(self, texts: dict[str, str], desk: Desk) -> tuple[dict[str, str], Summary]:
        ask = self.asking(desk.source, desk.target)
        faults = 0

        def fault_seen(text: str) -> None:
            nonlocal faults
            faults += 1
            desk.note(f"{self.name}: {text}")

        patient = patiently(ask, self.rate, self.retries, fault_seen)
        journal = Journal(desk.work / "translations.jsonl")
        asked = 0
        for done, (qid, text) in enumerate(texts.items()):
            desk.progress(done, len(texts))
            if text in journal.had:
                continue
            try:
                journal.add(text, patient(text))
            except Exception as fault:
                raise LswError(
                    f"The translator '{self.name}' gave nothing for query '{qid}': {describe(fault)}.",
                    f"{done} of {len(texts)} queries are translated, and kept.",
                    "Type the command again, later, or with a lower translation.rate; it goes on where it stopped.",
                    exit_code=1,
                ) from None
            asked += 1
        return journal.of(texts), {"asked": asked, "faults": faults, "version": version()}

    def seconds(self, texts: int) -> float:
        return texts / self.rate

    def asking(self, source: str, target: str) -> Callable[[str], str]:
        """What asks the service once for one text.

        Raises:
            LswError: a key is not in the environment, or a variety is not offered.
        """
        import deep_translator
        from deep_translator.exceptions import LanguageNotSupportedException

        secrets = {argument: os.environ.get(variable, "") for argument, variable in self.keys.items()}
        missing = [self.keys[argument] for argument, key in secrets.items() if not key]
        if missing and not (self.url_argument and self.url):
            cure = f"Set {' and '.join(missing)} in the environment."
            raise LswError(f"The translator '{self.name}' wants a key.", cure=cure)
        options: dict[str, Any] = {argument: key or "none" for argument, key in secrets.items()}
        if self.url and self.url_argument:
            options[self.url_argument] = self.url
        service = getattr(deep_translator, self.translator_class)
        pairs = _codes(variety(source), variety(target))
        if self.newer:
            translator = service(**options)
            translator.source, translator.target = pairs[0]
        else:
            for codes in pairs:
                try:
                    translator = service(source=codes[0], target=codes[1], **options)
                    break
                except LanguageNotSupportedException:
                    continue
            else:
                raise LswError(
                    f"The translator '{self.name}' does not offer {variety(source).name} to {variety(target).name}.",
                    cure="Choose another: google offers all varieties of lsw.",
                )
        pool = ThreadPoolExecutor(1, thread_name_prefix="translator")

        def ask(text: str) -> str:
            nonlocal pool
            if len(text) > self.longest:
                raise Refused(f"it has {len(text)} characters, and {self.name} takes {self.longest}")
            request = pool.submit(translator.translate, text)
            try:
                answer = request.result(self.timeout)
            except TooLong:
                pool.shutdown(wait=False)  # the request is left to itself
                pool = ThreadPoolExecutor(1, thread_name_prefix="translator")
                raise TimeoutError(f"no answer in {self.timeout:g} s") from None
            if not isinstance(answer, str) or not answer.strip():
                raise ValueError("an empty answer")
            return " ".join(answer.split())

        return ask


class Refused(Exception):
    """The service will not translate this, however often it is asked."""


def version() -> str:
    """Of the library behind the services, as a stage records it."""
    from importlib.metadata import version as installed

    return f"deep-translator {installed('deep-translator')}"


def _codes(source: Variety, target: Variety) -> list[tuple[str, str]]:
    """What a service may call two varieties: Google's codes, ours, and the language alone."""
    names = [[v.google or v.code, v.code, (v.google or v.code).split("-")[0]] for v in (source, target)]
    return list(dict.fromkeys(zip(*names, strict=True)))


def patiently(
    ask: Callable[[str], str],
    rate: float,
    retries: int,
    note: Callable[[str], None],
) -> Callable[[str], str]:
    """Ask no more often than `rate` times a second, and again after a fault, each time twice as late.

    Args:
        ask: asks once.
        rate: requests a second.
        retries: after the first fault.
        note: told of each fault.

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
                wait = min(LONGEST_WAIT, 2.0**attempt)
                wait *= 1 + random.random() / 4  # so that two recipes do not ask together
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
