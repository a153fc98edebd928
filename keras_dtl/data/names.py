"""Data sets as they are typed: `PREFIX:PATH`, or a bare name."""

import os
import re

PREFIXES = ("folder", "npz", "paired", "bvh")
"""What may stand before the colon of a path."""


def divide_name(name: str) -> tuple[str, str]:
    """Return the prefix of a data set's name and its path, or "" and the name itself.

    A `~` at the beginning of the path is the user's home, which shells leave alone after a colon.

    Args:
        name: Such as `folder:photos` or `mnist`.

    Raises:
        ValueError: If the path is missing.
    """
    prefix, _, path = name.partition(":")
    if prefix not in PREFIXES:
        return "", name
    if not path.strip():
        raise ValueError(
            f"Received the data set {name!r}. Expected a path after a colon, such as "
            f"{prefix}:photos."
        )
    return prefix, os.path.expanduser(path)  # noqa: PTH111 (npz:PATH.npz:LABEL is no path)


def divide_side(name: str) -> tuple[str, str | None]:
    """Return a name without an ending `/A` or `/B`, and that side in small letters, or None.

    Args:
        name: Such as `cycle_gan/horse2zebra/A`.
    """
    parts = re.fullmatch(r"(.+)/([AB])", name)
    return (parts[1], parts[2].lower()) if parts else (name, None)


def with_arrays(name: str, images: str | None, labels: str | None) -> str:
    """Return the name of an archive with those of its arrays; any other name as it is.

    Args:
        name: Such as `npz:faces.npz`; where it names arrays itself, these stay.
        images, labels: Of the arrays, or None for those of the usual names.
    """
    if not name.startswith("npz:") or ".npz:" in name.removeprefix("npz:"):
        return name
    if images:
        return f"{name}:{images},{labels or ''}"
    return f"{name}:{labels}" if labels else name
