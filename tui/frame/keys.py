"""The keys that do something now, in the last line."""

from textual.screen import Screen
from textual.widgets import Footer


class Keys(Footer):
    """Drawn anew only if it shows other keys: drawing it takes longer than moving the focus does."""

    _shown: tuple[tuple[str, str, bool], ...] = ()

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Look whether keys are others."""
        active = screen.active_bindings.values()
        shown = tuple((one.binding.key, one.binding.description, one.enabled) for one in active if one.binding.show)
        if shown != self._shown and self.is_attached and screen is self.screen:
            self._shown = shown
            super().bindings_changed(screen)
