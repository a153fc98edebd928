"""What a conversion has done, so that a second run does exactly the rest."""

import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_dtl.convert.locks import exclusive
from keras_dtl.files import FilePath, open_regular, read_regular, readable_name

_STATE = ".keras_dtl"  # hidden, and so never taken for input
_BEGINNING = b'{"name": '  # of each line, also of one that a killed run left unfinished
_MOST_FRAMES = 100_000

logger = logging.getLogger("keras_dtl")


class Journal:
    """The state of a conversion, in a hidden folder of its output.

    One line of JSON for each image, on the disk before its output takes its place, says of which
    content, by which model and with which options it was made, and what its SHA-256 is. Whatever
    moment a run is killed at, the next one can tell a whole output of its own from anything else:
    the last line of an image says what is to be there, and every earlier one what may be there
    still, since a run may have ended between the line and the output.

    Args:
        folder: The output folder of the conversion.
        key: Text that is another one when the model or the options are.
        checksums: A `Checksums` that outlives the conversion, where there is one.
    """

    def __init__(self, folder: FilePath, key: str, checksums: "Checksums | None" = None):
        self.folder = Path(folder)
        self.key = key
        self.checksums = checksums or Checksums()
        self.outlived = checksums is not None  # so that sums of inputs are worth being noted
        self.known = {}  # the last record, by frame, by name
        self.outputs = {}  # every SHA-256 that was ever noted, by name
        self.noting, self.syncing = threading.Lock(), threading.Lock()
        self.noted = self.synced = 0  # lines of this run, and how many are on the disk

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
            stack.enter_context(exclusive(state, self.folder))
            # What a killed run was just writing.
            shutil.rmtree(state / "partial", ignore_errors=True)
            # Its own: a run whose folder was removed under it may not clear that of the next.
            self.partial = state / "partial" / secrets.token_hex(8)
            self.partial.mkdir(parents=True)
            self.known, self.outputs, damaged = _read(state / "journal.jsonl")
            if damaged:
                self._warn_of(damaged)
            self.file = stack.enter_context(open(state / "journal.jsonl", "ab"))
            self.file.write(b"\n")  # ends what a killed run may have left unfinished
            self.stack = stack.pop_all()
        return self

    def _warn_of(self, damaged):
        logger.warning(
            "%s is damaged: %d of its lines say nothing. What they vouched for counts as somebody "
            "else's, and stays; to make it again, overwrite it (--overwrite).",
            readable_name(self.folder / _STATE / "journal.jsonl"),
            damaged,
        )

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
        outputs = self.outputs.get(name, ())
        return bool(outputs) and self._checksum(target) in outputs

    def is_whole(self, record: dict, target: Path) -> bool:
        """Whether the file `target` is what `record` says was written.

        Args:
            record: One of `records`.
            target: Path of the file.
        """
        wanted = record.get("output")
        return wanted is not None and self._checksum(target) == wanted

    def _checksum(self, path):
        """Return the SHA-256 of a file, or `None` where there is none that can be read."""
        checksum = self.checksums.of(path)
        with contextlib.suppress(OSError):
            if checksum is None:
                state = self.checksums.state(path)
                checksum = hashlib.sha256(read_regular(path)).hexdigest()
                self.checksums.note(path, state, checksum)
        return checksum

    def add(
        self, name: str, content: str, frame: int = 0, frames: int = 1, flush: bool = True, **result
    ) -> None:
        """Note the result of one image.

        Args:
            flush: Whether the note, and all before it, must be on the disk when this returns.
        """
        self.add_each([(name, content, frame, frames, result)], flush)

    def add_each(
        self, notes: Iterable[tuple[str, str, int, int, dict[str, Any]]], flush: bool = True
    ) -> None:
        """Note results in their order, with less work for each than `add` takes.

        Args:
            notes: What `add` takes of each: name, content, frame, frames and the result.
            flush: As for `add`.
        """
        records = [self._record(*note) for note in notes]
        lines = _lines_of(records)
        with self.noting:
            self.file.write(lines)
            self.noted += len(records)
            line = self.noted
        if flush:
            self._sync(line)

    def _record(self, name, content, frame, frames, result):
        record = {"name": name, "content": content, "key": self.key, **result}
        if frames > 1:
            record |= {"frame": frame, "frames": frames}
        return record

    def _sync(self, line):
        """Bring a line to the disk; threads that wait for each other share one journey."""
        with self.syncing:
            if self.synced >= line:
                return
            with self.noting:
                self.file.flush()
                reached = self.noted
            os.fsync(self.file.fileno())
            self.synced = reached

    def publish(self, target: Path, data: bytes) -> None:
        """Write bytes to a file that is whole or absent, whatever happens meanwhile.

        Args:
            target: Where the file belongs; missing folders are made.
            data: Its bytes.
        """
        temporary = self.partial / secrets.token_hex(8)
        try:
            temporary.write_bytes(data)
            self.move(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def move(self, temporary: Path, target: Path) -> None:
        """Give a whole file its place.

        Args:
            temporary: The whole file, on the same disk.
            target: Where it belongs; missing folders are made.
        """
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary, target)


class Checksums:
    """SHA-256 sums of files that were read before, as long as their size and times stay."""

    def __init__(self):
        self.known = {}

    @staticmethod
    def state(path: FilePath) -> tuple:
        """Return what tells whether a file was changed.

        Args:
            path: The file.

        Raises:
            OSError: There is none.
        """
        status = os.stat(path)  # noqa: PTH116 (of very many files)
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def of(self, path: FilePath) -> str | None:
        """Return the sum of a file that is as it was noted, or `None`.

        Args:
            path: The file.
        """
        state, checksum = self.known.get(os.fspath(path), (None, None))
        if state is None:
            return None
        with contextlib.suppress(OSError):
            if state == self.state(path):
                return checksum
        return None

    def note(self, path: FilePath, state: tuple, checksum: str) -> None:
        """Remember the sum of a file.

        Args:
            path: The file.
            state: What `state` returned before it was read.
            checksum: What was read.
        """
        self.known[os.fspath(path)] = state, checksum


def _lines_of(records):
    """Return a line of JSON for each record, encoded at once, which takes half the time."""
    text = json.dumps(records).encode()[1:-1]
    # In JSON's strings quotes come after a backslash: this is between two records alone.
    return text.replace(b"}, " + _BEGINNING, b"}\n" + _BEGINNING) + b"\n" if records else b""


def _read(path):
    """Return the last record of each image, all checksums, and how many lines are damaged.

    A line that a killed run left unfinished is no damage.
    """
    known, outputs, damaged = {}, {}, 0
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return known, outputs, damaged
    with file:
        for line in file:
            if (record := _record_of(line)) is not None:
                known.setdefault(record["name"], {})[record.get("frame", 0)] = record
                if "output" in record:
                    outputs.setdefault(record["name"], set()).add(record["output"])
            elif not (line.isspace() or _BEGINNING.startswith(line[: len(_BEGINNING)].rstrip())):
                damaged += 1
    return known, outputs, damaged


def _record_of(line):
    with contextlib.suppress(ValueError, RecursionError):
        record = json.loads(line)
        if _is_record(record):
            return record
    return None


def _is_record(value):
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key), str) for key in ("name", "content", "key"))
        and isinstance(value.get("output", ""), str)
        and all(type(value.get(key, 1)) is int for key in ("frame", "frames"))
        and 0 < value.get("frames", 1) <= _MOST_FRAMES
    )
