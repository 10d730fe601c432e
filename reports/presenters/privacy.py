"""Hide counts so small that people might be recognised."""

from dataclasses import dataclass

from reports.presenters.meanings import DASH


@dataclass(frozen=True)
class Privacy:
    """What a reader may be told. ``smallest`` 0 hides nothing."""

    smallest: int = 0

    @property
    def hides_rows(self) -> bool:
        """Whether single visits stay hidden: each is a count of one."""
        return self.smallest > 1

    def hides(self, count: int) -> bool:
        """Whether ``count`` may not be told."""
        return 0 < count < self.smallest

    def count(self, count: int) -> str:
        """Return ``count`` in words, or that it is small."""
        return f"< {self.smallest}" if self.hides(count) else f"{count:,}"

    def drawn(self, count: int) -> int:
        """Return how high a bar is drawn."""
        return 0 if self.hides(count) else count

    def of(self, count: int, text: str) -> str:
        """Return ``text``, which says something about ``count`` visits or people, unless they are too few."""
        return DASH if self.hides(count) else text
