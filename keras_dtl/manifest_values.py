"""What the values of a manifest may be, whoever wrote it: each is looked at before it is used."""

import math
import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_positive(value: Any) -> bool:
    return is_integer(value) and 1 <= value < 2**31


def is_object(value: Any) -> bool:
    return isinstance(value, dict)


def is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def is_classes(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def is_channels(value: Any) -> bool:
    return value is None or (is_integer(value) and value in (1, 3, 4))


def is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(item is None or is_positive(item) for item in value)


def is_size(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) == 2 and all(map(is_positive, value))
    )


def is_range(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(is_integer(bound) or isinstance(bound, float) for bound in value) and (
        all(math.isfinite(bound) for bound in value if isinstance(bound, float))
        and value[0] < value[1]
    )


def is_files(value: Any) -> bool:
    return isinstance(value, dict) and all(
        is_safe_path(path) and isinstance(checksum, str) and re.fullmatch("[0-9a-f]{64}", checksum)
        for path, checksum in value.items()
    )


def is_precisions(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(record, dict)
        and is_text(record.get("file"))
        and isinstance(record.get("quality", {}), dict)
        for record in value.values()
    )


def are_runtimes(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_precisions, value.values()))


def is_tiling(value: Any) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, dict)
        and all(is_positive(value.get(key)) for key in ("multiple", "bytes_per_pixel"))
        and is_integer(value.get("overlap"))
        and 0 <= value["overlap"] < 2**20
        and (value.get("file") is None or is_text(value["file"]))
    )


def is_safe_path(path: Any) -> bool:
    """Whether `path` stays below the artifact on every system."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and ".." not in parts
        and not path.startswith("/")
        and not PureWindowsPath(path).drive
        and "\\" not in path
        and "\0" not in path
    )
