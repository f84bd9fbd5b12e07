"""Parts by name: modules of a package, then entry points of other distributions; imported when they are asked for.

A part is a class with its settings as fields. Its name is its module's, `_` written `-`; a plug-in's is its entry
point's. So a new part is one new file.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, field_validator
from pydantic_core import PydanticCustomError, to_jsonable_python

from store import LswError, nearest

LOCAL = "local"
"""Marks a field, as in `Annotated[Path, LOCAL]`, that changes no result: where something lies, how it is asked for."""


class Section(BaseModel):
    """Checked values: unknown keys and wrong types are refused, nothing is changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)

    @field_validator("seed", check_fields=False)
    @classmethod
    def _seeds(cls, seed: int | None) -> int | None:
        """numpy and torch take seeds of 32 bits."""
        if seed is not None and not 0 <= seed < 1 << 32:
            raise PydanticCustomError("seed", "Input should be a seed from 0 to 4294967295")
        return seed

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        """All settings but the local ones, as JSON values; unless `whole`, without those that are as usual."""
        values: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            usual = not field.is_required() and value == field.get_default(call_default_factory=True)
            if LOCAL in field.metadata or (usual and not whole):
                continue
            plain = _plain(value, whole)
            if plain or not isinstance(value, Section):
                values[field.alias or name] = plain
        return values

    def key(self) -> dict[str, Any]:
        """What tells these settings from others: all that is neither local nor as usual.

        What is as usual is left out so that a setting which is added later changes no key of before. So a default that
        is changed is another version of what it belongs to.
        """
        return self.recorded(whole=False)


def _plain(value: Any, whole: bool) -> Any:
    if isinstance(value, Section):
        return value.recorded(whole)
    if isinstance(value, list | tuple):
        return [_plain(item, whole) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item, whole) for name, item in value.items()}
    return to_jsonable_python(value)


class Part(Section):
    """What a registry finds. A plug-in's distribution and version are part of its key."""

    name: ClassVar[str] = ""
    distribution: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.name = cls.__module__.rpartition(".")[2].replace("_", "-")

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        return super().recorded(whole) | ({"plugin": self.distribution} if self.distribution else {})


P = TypeVar("P")


class Registry(Generic[P]):
    """The parts of one sort.

    Args:
        base: what each of them is.
        what: what one is called in an error.
        packages: whose modules are parts; those beginning with `_`, and `base`, are not.
        group: of entry points; `first` are the names that come before the others, in this order.
    """

    def __init__(self, base: type[P], what: str, packages: tuple[str, ...], group: str, first: tuple[str, ...] = ()):
        self.base, self.what, self.packages, self.group, self.first = base, what, packages, group, first
        self.part, self.names, self._plugins = cache(self._part), cache(self._names), cache(self._found_plugins)

    def _modules(self) -> dict[str, str]:
        modules = ((p, m) for p in self.packages for m in iter_modules(import_module(p).__path__) if not m.ispkg)
        return {
            m.name.replace("_", "-"): f"{p}.{m.name}"
            for p, m in modules
            if m.name != "base" and not m.name.startswith("_")
        }

    def _found_plugins(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def _names(self) -> list[str]:
        """All names, ours before those of plug-ins."""
        ours, theirs = sorted(self._modules()), sorted(self._plugins())
        return list(dict.fromkeys([*(name for name in self.first if name in ours), *ours, *theirs]))

    def known(self, name: str) -> str:
        """The name itself.

        Raises:
            LswError: no part is called so; the nearest name is offered.
        """
        names = self.names()
        if name not in names:
            raise LswError(f"Unknown {self.what} '{name}'.", cure=nearest(name, names))
        return name

    def _part(self, name: str) -> type[P]:
        """The class of this name, imported now.

        Raises:
            LswError: as `known`; or a plug-in that cannot be imported, is something else, or has a name of ours.
        """
        module, point = self._modules().get(self.known(name)), self._plugins().get(name)
        if module and point:
            raise LswError(f"The plug-in {point.value} calls itself '{name}', which is a {self.what} of lsw.")
        if module:
            loaded = vars(import_module(module)).values()
            [part] = [c for c in loaded if isinstance(c, type) and issubclass(c, self.base) and c.__module__ == module]
            return part
        assert point
        try:
            part = point.load()
        except (ImportError, AttributeError) as error:
            raise LswError(f"The {self.what} '{name}' cannot be imported.", f"{point.value}: {error}") from error
        if not (isinstance(part, type) and issubclass(part, self.base)):
            raise LswError(
                f"The plug-in {point.value} is no {self.what}.", cure=f"It must extend {self.base.__name__}."
            )
        if issubclass(part, Part):
            part.name, part.distribution = name, _distribution(point)
        return part

    def read(self, by: str, usual: str = "") -> BeforeValidator:
        """A pydantic validator: the part that a section names under the key `by`, with its settings checked.

        Args:
            by: the key.
            usual: the part of a section that names none.
        """

        def chosen(value: Any) -> Any:
            if isinstance(value, self.base):
                return value
            if not isinstance(value, dict):
                raise PydanticCustomError("model_type", "Input should be a section")
            name = value.get(by, usual)
            if not name:
                raise PydanticCustomError("unnamed", "It names no part", {"key": by, "cure": _listed(self)})
            part: Any = told(self.part, by)(str(name))
            return part.model_validate({by: name} | value)

        return BeforeValidator(chosen)

    @property
    def one(self) -> AfterValidator:
        """A pydantic validator: the name of one of the parts."""
        return AfterValidator(told(self.known))


def _distribution(point: EntryPoint) -> str:
    """Name and version of what a plug-in came with."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _listed(registry: Registry[Any]) -> str:
    return f"Known: {', '.join(registry.names())}."


def told(check: Callable[[Any], Any], key: str = "") -> Callable[[Any], Any]:
    """`check` for a validator: its LswError becomes one of pydantic's, which knows the field, and the `key` within."""

    def checked(value: Any) -> Any:
        try:
            return check(value)
        except LswError as error:
            about = {"title": error.title, "cure": error.cure, "key": key}
            raise PydanticCustomError("lsw", "{title}", about) from None

    return checked
