"""Every verb on disks that are full before it is done, and again where there is room.

Linux alone: the disks are file systems in memory, of a size that is changed while they are in use,
in a space of names of their own.
"""

import contextlib
import math
import os
import shutil
import subprocess
import sys

from faults_cases import begin
from faults_outputs import half_files, outputs
from record import read_result

SHARES = (0.0, 0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.85, 0.95, 0.99)
"""Of the room that a command needs, beside what is there before it begins."""
PAGE_SIZE = 4096
ROOMY = "1g"
INSIDE = "KERAS_DTL_FAULTS_INSIDE"


def enter_own_names():
    """Begin this script again where it may mount file systems that nobody else sees."""
    if os.environ.get(INSIDE):
        return
    flags = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    command = ["unshare", *flags, sys.executable, *sys.argv]
    os.execvpe(command[0], command, {**os.environ, INSIDE: "1"})


@contextlib.contextmanager
def small_disk(path, size=ROOMY):
    """Mount a file system in memory of a size at a path, as long as the context lasts."""
    path.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


def used(path):
    """Return the bytes of a file system that are taken."""
    status = os.statvfs(path)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def fill_all(cases, folder, deadline, note):
    """Run each case of which results/faults.json knows nothing on disks of several sizes.

    Args:
        cases: The `Case`s.
        folder: To work in.
        deadline: A `Deadline`.
        note: Function that keeps what was found, as `faults.note`.
    """
    for number, case in enumerate(cases):
        if case.name in read_result("faults").get("full_disks", {}):
            continue
        if deadline.is_over():
            print("Time is up; the same command goes on.")
            return
        found = fill(case, folder / f"disk {number}")
        print(case.name, found, flush=True)
        before = read_result("faults")
        note(before, full_disks={**before.get("full_disks", {}), case.name: found})


def fill(case, path):
    """Run a case on disks of several sizes; return a list of what was found on each."""
    with small_disk(path):
        for words in case.before:
            tell(words, path)
        start = path.with_name(path.name + " before")
        shutil.copytree(path, start)
        begun = used(path)
        status, told = tell(case.words, path)
        if status:
            raise RuntimeError(f"{case.name}: {told}")
        expected, need = outputs(case, path), used(path) - begun
    found = []
    for share in SHARES:
        room = math.ceil((begun + share * need) / PAGE_SIZE + 1) * PAGE_SIZE
        with small_disk(path, room):
            shutil.copytree(start, path, dirs_exist_ok=True)
            found.append({"share": share, **fill_once(case, path, expected)})
    return found


def fill_once(case, path, expected):
    """Run a case where there is too little room, and again where there is enough."""
    before = outputs(case, path)
    status, told = tell(case.words, path)
    kept = outputs(case, path)
    half = half_files(path)
    if case.is_conversion:
        half += [k for k, data in kept.items() if data not in (before.get(k), expected.get(k))]
    mount("-o", f"remount,size={ROOMY}", path)
    again, told_again = tell((*case.words, *case.again), path)
    finished = outputs(case, path)
    return {
        "status": status,
        "messages": told,
        "lost": sorted(set(before) - set(kept)),
        "half_files": half,
        "status_with_room": again,
        **({"messages_with_room": told_again} if again else {}),
        "different": [name for name, data in expected.items() if finished.get(name) != data],
    }


def tell(words, path):
    """Run a command; return its status and the lines on its standard error."""
    process = begin(words, path, stderr=subprocess.PIPE, text=True)
    _, told = process.communicate()
    told = told.replace(f"{path}", "OUT")
    return process.returncode, [line for line in told.splitlines() if line.strip()][-6:]
