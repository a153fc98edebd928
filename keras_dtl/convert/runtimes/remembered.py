"""What this machine found out about artifacts, kept for the next conversion.

In the folder that the environment variable `KERAS_DTL_CACHE` names, else in `keras_dtl` of the
user's folder of caches. Nothing in it is ever needed: what is missing, damaged or of other versions
is found out again.
"""

import contextlib
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

from keras_dtl.convert.runtimes.cores import core_count
from keras_dtl.files import atomic_path, read_regular, write_json

_LARGEST = 2**20  # bytes of a record
_LARGEST_BLOB = 2**31
_MOST_BLOBS = 16
_CPU = ("model name", "flags", "Features", "CPU part")  # lines of /proc/cpuinfo, on x86 and ARM


def cache_folder() -> Path:
    """Return the folder that findings are kept in, which need not exist."""
    if named := os.environ.get("KERAS_DTL_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path("~").expanduser() / ".cache"
    return Path(base) / "keras_dtl"


def processor() -> str:
    """Return what tells one kind of machine from another: processor, instructions, cores."""
    lines = []
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        lines = sorted({line for line in text.splitlines() if line.startswith(_CPU)})
    words = [platform.machine(), platform.processor(), *lines, str(core_count())]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def recall(kind: str, about: list) -> Any:
    """Return what was remembered, or `None`.

    Args:
        kind: Of the finding, such as `"trial"`.
        about: What it was found out about, as values that `json` can write.
    """
    with contextlib.suppress(OSError, ValueError, RecursionError, RuntimeError):
        record = json.loads(read_regular(_place(kind, about, ".json"), _LARGEST))
        # As JSON holds it, which knows no tuples.
        if isinstance(record, dict) and record.get("about") == json.loads(json.dumps(about)):
            return record.get("found")
    return None


def remember(kind: str, about: list, found: Any) -> None:
    """Keep what was found out, where anything can be kept.

    Args:
        kind: Of the finding.
        about: What it was found out about, as values that `json` can write.
        found: The finding, likewise.
    """
    with contextlib.suppress(OSError, RuntimeError):
        write_json(_place(kind, about, ".json"), {"about": about, "found": found})


def recall_blob(kind: str, about: list) -> bytes | None:
    """Return bytes that were remembered and are as they were written, or `None`.

    Args:
        kind: Of the finding.
        about: What it was found out about.
    """
    with contextlib.suppress(OSError, RuntimeError):
        data = read_regular(_place(kind, about, ".blob"), _LARGEST_BLOB)
        digest, blob = data[:32], data[32:]
        if hashlib.sha256(blob).digest() == digest:
            return blob
    return None


def remember_blob(kind: str, about: list, blob: bytes) -> None:
    """Keep bytes; of the oldest, those beyond a number are removed.

    Args:
        kind: Of the finding.
        about: What it was found out about.
        blob: The bytes.
    """
    with contextlib.suppress(OSError, RuntimeError):
        path = _place(kind, about, ".blob")
        with atomic_path(path) as temporary:
            temporary.write_bytes(hashlib.sha256(blob).digest() + blob)
        blobs = sorted(path.parent.glob("*.blob"), key=lambda file: file.stat().st_mtime)
        for old in blobs[:-_MOST_BLOBS]:
            old.unlink(missing_ok=True)


def _place(kind, about, suffix):
    name = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]
    return cache_folder() / kind / f"{name}{suffix}"
