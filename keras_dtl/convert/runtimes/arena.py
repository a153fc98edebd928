"""Memory of onnxruntime for images of any size: one region, of which pages are taken when used.

Its arena takes regions in powers of two, and what is free in two of them never serves together: of
one generator a photo took 113 to 202 bytes a pixel, as its size fitted. In one region that is large
enough it takes 109 at every size, and an estimate holds. Where an image needs more than the region,
the arena takes further ones as before.
"""

import contextlib
import functools
import sys
from pathlib import Path
from typing import Any

REGION = 2**31 - 2**20
"""Bytes of addresses, the most that onnxruntime takes; of memory a 32nd part, for its lists."""


def take_one_region(options: Any) -> None:
    """Let a session take its memory from the region of this process, where that costs nothing.

    Args:
        options: `onnxruntime.SessionOptions` of a session on the CPU.
    """
    if _reserve():
        options.add_session_config_entry("session.use_env_allocators", "1")


@functools.cache
def _reserve():
    """Make the region, once in a process; return whether there is one."""
    if not _addresses_are_free():
        return False
    import onnxruntime

    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    in_powers_of_two, default = 0, -1
    settings = onnxruntime.OrtArenaCfg(0, in_powers_of_two, REGION, default)
    onnxruntime.create_and_register_allocator(place, settings)
    return True


def _addresses_are_free():
    """Whether addresses that are not used take no memory, and are not limited."""
    if sys.platform == "win32":
        return False
    import resource

    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        return False
    with contextlib.suppress(OSError, ValueError):
        # Linux as it is set up by few: each address counts as memory.
        return int(Path("/proc/sys/vm/overcommit_memory").read_text(encoding="ascii")) != 2
    return True
