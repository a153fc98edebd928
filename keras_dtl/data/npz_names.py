"""Which arrays of an archive are images and which are labels, by their names."""

import re
from collections.abc import Iterable, Sequence

from keras_dtl.data.layouts import split_of

IMAGES = ("x", "X", "images", "image", "imgs", "data")
LABELS = ("y", "Y", "labels", "label", "targets")
"""Names of the arrays of images and of labels, where none is named. Before or after them may stand
a split, as in `x_train` or `test_images`."""


def npz_splits(present: Iterable[str], named: str, shown: str) -> dict[str, tuple[str, str]]:
    """Return the names of the arrays of images and of labels by split.

    Args:
        present: The names of all arrays.
        named: What was typed after the colon, or "".
        shown: The file, for messages.

    Returns:
        `{split: (images, labels)}` of "train" and, where they are there, "validation" and "test".

    Raises:
        ValueError: If an array is missing, or several may be meant.
    """
    present = list(present)
    first, comma, second = named.partition(",")
    asked = (first, second) if comma else ("", first)
    found = {}
    for place, (given, usual) in enumerate(zip(asked, (IMAGES, LABELS), strict=True)):
        for role, name in _by_role(present, given, usual, shown).items():
            found.setdefault(role, [None, None])[place] = name
    pairs = {role: tuple(pair) for role, pair in found.items() if None not in pair}
    if "train" not in pairs:
        wanted = [name for name in asked if name and name not in present]
        lacking = f"no array {wanted[0]!r}" if wanted else "no arrays of images and of labels"
        raise ValueError(
            f"{shown} has {lacking}. It holds {', '.join(present)}. Name the array of labels after "
            "a colon, or both: npz:PATH.npz:LABELS or npz:PATH.npz:IMAGES,LABELS."
        )
    return pairs


def _by_role(
    present: Sequence[str], given: str, usual: Sequence[str], shown: str
) -> dict[str, str]:
    """Return the array of each split that has a given name, or one of the usual ones."""
    if given in present:
        base = _base(given)
        others = {_role(name, (base,)): name for name in present} if base else {}
        return {role: name for role, name in others.items() if role} | {"train": given}
    found = {}
    for name in present:
        role = _role(name, (given,) if given else usual)
        if role in found:
            raise ValueError(
                f"{shown} holds both {found[role]!r} and {name!r}: which is meant cannot be told. "
                "Name the arrays, as in npz:PATH.npz:IMAGES,LABELS."
            )
        if role is not None:
            found[role] = name
    return found


def _base(name: str) -> str | None:
    """Return what the arrays of all splits are called that one of training is of, or None."""
    for form in (r"(?P<split>[a-zA-Z]+)_(?P<base>.+)$", r"(?P<base>.+)_(?P<split>[a-zA-Z]+)$"):
        parts = re.match(form, name)
        if parts and (role := split_of(parts["split"])):
            return parts["base"] if role == "train" else None
    return name


def _role(name: str, names: Iterable[str]) -> str | None:
    """Return the split of an array that has one of these names, "train" where it has none."""
    if name in names:
        return "train"
    before, after = re.match(r"([a-zA-Z]+)_(.+)$", name), re.match(r"(.+)_([a-zA-Z]+)$", name)
    if before and before[2] in names and split_of(before[1]):
        return split_of(before[1])
    if after and after[1] in names and split_of(after[2]):
        return split_of(after[2])
    return None
