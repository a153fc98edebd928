"""What a conversion did."""

import dataclasses
import typing
from collections.abc import Iterable
from pathlib import Path

from keras_dtl import folders
from keras_dtl.files import readable_name
from keras_dtl.version import __version__

NOT_BEGUN = "not converted: "
"""How the reason of each file begins that a full disk left out."""
_NAMED = 5  # of the files that one reason left out


class Failure(typing.NamedTuple):
    """One input that could not be converted.

    Args:
        path: The input.
        reason: Why, in words.
    """

    path: Path
    reason: str


class LeftOut(typing.NamedTuple):
    """One file of a folder that was not taken for an input.

    Args:
        path: The file.
        reason: Why, in words.
        is_input: Whether it is one all the same, such as a picture of a format that is not read.
    """

    path: Path
    reason: str
    is_input: bool


@dataclasses.dataclass
class Stages:
    """How long the stages of a conversion were at work, in seconds.

    Args:
        readers: Number of threads that read.
        writers: Number of threads that write.
        reading: Together, without waiting for the session.
        session: The model's own time.
        session_waited: How long the session had nothing to do while there was more to read.
        writing: Together.
        sessions: Number of models at work.
    """

    readers: int
    writers: int
    reading: float = 0.0
    session: float = 0.0
    session_waited: float = 0.0
    writing: float = 0.0
    sessions: int = 1

    def occupancy(self, seconds: float) -> dict[str, float]:
        """Return the share of the whole time that each stage was at work.

        Args:
            seconds: The whole time.

        Returns:
            Shares from 0 to 1 by name of the stage.
        """
        return {
            "reading": self.reading / (seconds * self.readers),
            "session": self.session / (seconds * self.sessions),
            "writing": self.writing / (seconds * self.writers),
        }


@dataclasses.dataclass(frozen=True)
class ConversionReport:
    """What a conversion did.

    Args:
        converted: Number of files converted.
        skipped: Number of files that an earlier run has done.
        failed: Tuple of `Failure`, one for each input that could not be converted.
        seconds: How long it took.
        output: The table or folder that was written.
        planned: Paths that a dry run would convert.
        left: Number of files left for another run, because a limit was reached.
        stages: A `Stages`, or `None`.
        left_out: Tuple of `LeftOut`, one for each file of the folder that is no input.
        full: Why nothing more could be written, such as "No space left on device", or `None`.
    """

    converted: int
    skipped: int
    failed: tuple[Failure, ...]
    seconds: float
    output: Path
    planned: tuple[Path, ...] = ()
    left: int = 0
    stages: Stages | None = None
    left_out: tuple[LeftOut, ...] = ()
    full: str | None = None

    @property
    def exit_status(self) -> int:
        """0 when every image is done, 1 when some failed or are of formats that are not read, 2
        when nothing could be done any more."""
        if self.full:
            return 2
        if not self.failed:
            return int(any(file.is_input for file in self.left_out))
        return 1 if self.converted or self.skipped or self.planned else 2

    @property
    def images_per_second(self) -> float:
        """Files converted in a second."""
        return self.converted / max(self.seconds, 1e-9)

    def to_json(self) -> dict:
        """Return the report as values that `json` can write."""
        value = {
            "keras_dtl": __version__,
            "exit_status": self.exit_status,
            "converted": self.converted,
            "skipped": self.skipped,
            "left": self.left,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.images_per_second, 2),
            "output": readable_name(self.output),
            "failed": [
                {"file": readable_name(failure.path), "reason": failure.reason}
                for failure in self.failed
            ],
        }
        value["left_out"] = [
            {"file": readable_name(file.path), "reason": file.reason} for file in self.left_out
        ]
        if self.stages is not None:
            shares = self.stages.occupancy(max(self.seconds, 1e-9))
            value["stages"] = {
                "busy_share": {name: round(share, 4) for name, share in shares.items()},
                "session_waited_seconds": round(self.stages.session_waited, 3),
                "readers": self.stages.readers,
                "writers": self.stages.writers,
                "sessions": self.stages.sessions,
            }
        return value


def left_out_lines(left_out: Iterable[LeftOut]) -> list[str]:
    """Return a line for each reason why files were left out: how many, and the first by name.

    Args:
        left_out: The files.
    """
    named = ((readable_name(file.path), file.reason) for file in left_out)
    return folders.left_out_lines(named, _NAMED)
