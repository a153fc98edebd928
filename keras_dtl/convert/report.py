"""What a conversion did."""

import dataclasses
import typing


class Failure(typing.NamedTuple):
    """One input that could not be converted.

    Args:
        path: The input, as a `pathlib.Path`.
        reason: Why, in words.
    """

    path: object
    reason: str


@dataclasses.dataclass(frozen=True)
class ConversionReport:
    """What a conversion did.

    Args:
        converted: Number of images converted.
        skipped: Number of images whose output was already there.
        failed: Tuple of `Failure`, one for each input that could not be converted.
        seconds: How long it took.
        output: The table or folder that was written.
    """

    converted: int
    skipped: int
    failed: tuple
    seconds: float
    output: object

    @property
    def exit_status(self):
        """0 when every image is done, 1 when some failed, 2 when nothing could be done."""
        if not self.failed:
            return 0
        return 1 if self.converted or self.skipped else 2
