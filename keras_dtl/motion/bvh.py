"""BVH motion files, read and written; NumPy only.

A file may come from anywhere: every number is checked before it is used.
"""

from pathlib import Path

from keras_dtl.files import FilePath, read_regular, write_text
from keras_dtl.motion.bvh_content import Bvh, BvhError, children_of
from keras_dtl.motion.bvh_parser import check_length, parse_bvh

_DEEPEST_TAB = 50


def read_bvh(path: FilePath) -> Bvh:
    """Read a BVH file.

    Args:
        path: The file.

    Raises:
        BvhError: It is not a BVH file, or is damaged; the message says in which line and how.
        OSError: It cannot be read.
    """
    path = Path(path)
    try:
        check_length(path.stat().st_size)
        return parse_bvh(read_regular(path))
    except BvhError as error:
        raise BvhError(f"{path.name}: {error}") from error


def write_bvh(path: FilePath, bvh: Bvh, decimals: int = 6) -> None:
    """Write a BVH file, whole or not at all.

    Args:
        path: The file.
        bvh: A `Bvh`.
        decimals: Digits after the point in the motion; 6 is what files commonly have, and
            what was read from such a file is written as it was.
    """
    write_text(path, format_bvh(bvh, decimals))


def format_bvh(bvh: Bvh, decimals: int = 6) -> str:
    """Return the text of a BVH file.

    Args:
        bvh: A `Bvh`.
        decimals: Digits after the point in the motion.
    """
    lines = ["HIERARCHY", *_hierarchy(bvh.joints), "MOTION"]
    lines += [f"Frames: {len(bvh.values)}", f"Frame Time: {bvh.frame_time!r}"]
    lines += [" ".join(f"{value:.{decimals}f}" for value in row) for row in bvh.values]
    return "\n".join(lines) + "\n"


def _hierarchy(joints):
    """Yield the lines of a skeleton; without recursion, as it may be a long chain."""
    children = children_of([joint.parent for joint in joints])
    left = [(0, 0, False)]  # joint, depth, whether it is to be closed
    while left:
        index, depth, closed = left.pop()
        if closed:
            yield from _closing(joints[index], _tab(depth))
            continue
        yield from _opening(joints[index], depth)
        left.append((index, depth, True))
        left += [(child, depth + 1, False) for child in reversed(children[index])]


def _tab(depth):
    # Of a chain of joints, tabs would be nearly all of the file.
    return "\t" * min(depth, _DEEPEST_TAB)


def _opening(joint, depth):
    tab = _tab(depth)
    yield f"{tab}{'JOINT' if depth else 'ROOT'} {joint.name}"
    yield f"{tab}{{"
    yield f"{tab}\tOFFSET {_triple(joint.offset)}"
    yield " ".join([f"{tab}\tCHANNELS {len(joint.channels)}", *joint.channels])


def _closing(joint, tab):
    if joint.end is not None:
        yield from (f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_triple(joint.end)}")
        yield f"{tab}\t}}"
    yield f"{tab}}}"


def _triple(offset):
    return " ".join(repr(float(value)) for value in offset)
