"""What a conversion has done, so that a second run does exactly the rest."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path

from keras_dtl.convert.options import ConversionError
from keras_dtl.files import FilePath, readable_name

_STATE = ".keras_dtl"  # hidden, and so never taken for input
_MOST_FRAMES = 100_000


class Journal:
    """The state of a conversion, in a hidden folder of its output.

    One line of JSON for each image, written before its output takes its place, says of which
    content, by which model and with which options it was made, and what its SHA-256 is. Whatever
    moment a run is killed at, the next one can tell a whole output of its own from anything else.

    Args:
        folder: The output folder of the conversion.
        key: Text that is another one when the model or the options are.
    """

    def __init__(self, folder: FilePath, key: str):
        self.folder = Path(folder)
        self.key = key
        self.known = {}

    @staticmethod
    def exists(folder: FilePath) -> bool:
        """Whether a conversion has written to a folder before.

        Args:
            folder: The output folder.
        """
        return (Path(folder) / _STATE / "journal.jsonl").exists()

    def __enter__(self):
        state = self.folder / _STATE
        with contextlib.ExitStack() as stack:
            state.mkdir(parents=True, exist_ok=True)
            self.lock = stack.enter_context(open(state / "lock", "w"))
            _lock(self.lock, self.folder)
            # What a killed run was just writing.
            shutil.rmtree(state / "partial", ignore_errors=True)
            # Its own: a run whose folder was removed under it may not clear that of the next.
            self.partial = state / "partial" / secrets.token_hex(8)
            self.partial.mkdir(parents=True)
            self.known = _read(state / "journal.jsonl")
            self.file = stack.enter_context(open(state / "journal.jsonl", "ab"))
            self.file.write(b"\n")  # ends what a killed run may have left unfinished
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        shutil.rmtree(self.partial, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.partial.parent.rmdir()
        self.stack.close()

    def records(self, name: str, content: str) -> list[dict] | None:
        """Return what was written of a file, one record a frame, or `None`.

        Args:
            name: Of the `Item`.
            content: SHA-256 of the file as it is now.
        """
        known = self.known.get(name, {})
        wanted = (content, self.key)
        records = [known.get(frame) for frame in range(known.get(0, {}).get("frames", 1))]
        fitting = [r for r in records if r and (r["content"], r["key"]) == wanted]
        return fitting if len(fitting) == len(records) else None

    def wrote(self, name: str, target: Path) -> bool:
        """Whether the file `target` is what an earlier run made of the input `name`.

        Args:
            name: Of the `Item`.
            target: Path of the file.
        """
        return any(self.is_whole(record, target) for record in self.known.get(name, {}).values())

    def is_whole(self, record: dict, target: Path) -> bool:
        """Whether the file `target` is what `record` says was written.

        Args:
            record: One of `records`.
            target: Path of the file.
        """
        try:
            return record.get("output") == hashlib.sha256(target.read_bytes()).hexdigest()
        except OSError:
            return False

    def add(
        self, name: str, content: str, frame: int = 0, frames: int = 1, flush: bool = True, **result
    ) -> None:
        """Note the result of one image.

        Args:
            flush: Whether the note must be in the file before the next thing happens.
        """
        record = {"name": name, "content": content, "key": self.key, **result}
        if frames > 1:
            record |= {"frame": frame, "frames": frames}
        self.file.write(json.dumps(record).encode() + b"\n")
        if flush:
            self.file.flush()

    def publish(self, target: Path, data: bytes) -> None:
        """Write bytes to a file that is whole or absent, whatever happens meanwhile.

        Args:
            target: Where the file belongs; missing folders are made.
            data: Its bytes.
        """
        temporary = self.partial / secrets.token_hex(8)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self.move(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def move(self, temporary: Path, target: Path) -> None:
        """Give a whole file its place.

        Args:
            temporary: The whole file, on the same disk.
            target: Where it belongs; missing folders are made.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary, target)


def _lock(file, folder):
    try:
        import fcntl
    except ImportError:  # not on Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConversionError(
            f"Another conversion is writing to {readable_name(folder)}. Wait for it, or choose "
            "another folder."
        ) from error


def _read(path):
    """Return the last record of each image; lines that are none are left out."""
    known = {}
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return known
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            record = json.loads(line)
            if _is_record(record):
                known.setdefault(record["name"], {})[record.get("frame", 0)] = record
    return known


def _is_record(value):
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key), str) for key in ("name", "content", "key"))
        and all(type(value.get(key, 1)) is int for key in ("frame", "frames"))
        and 0 < value.get("frames", 1) <= _MOST_FRAMES
    )
