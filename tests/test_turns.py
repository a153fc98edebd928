"""One writer at a time, of threads and of processes."""

import errno
import subprocess
import sys
import threading

import pytest

from keras_dtl import turns
from keras_dtl.turns import turn

HOLD = """
import sys
from keras_dtl.turns import turn
with turn(sys.argv[1], "export"):
    print("held", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")


@pytest.fixture
def holder(tmp_path):
    """A process that has its turn at `a`, until it reads the end of its input."""
    words = [sys.executable, "-c", HOLD, str(tmp_path / "a")]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_another_process_is_told(holder, tmp_path):
    with pytest.raises(BlockingIOError, match="Another export is writing to"):
        turn(tmp_path / "a", "export", waits=False).__enter__()
    with turn(tmp_path / "b", "export", waits=False):
        assert (tmp_path / ".b.lock").exists()
    holder.communicate()
    assert list(tmp_path.iterdir()) == []


def test_the_turn_of_a_killed_process_is_over(holder, tmp_path):
    holder.kill()
    holder.wait()
    with turn(tmp_path / "a", "export", waits=False):
        pass
    assert list(tmp_path.iterdir()) == []


def test_threads_wait_for_each_other_and_say_so_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(turns, "_PAUSE", 0.0)
    at_work, most = [], []

    def work():
        for _ in range(20):
            with turn(tmp_path / "a", "export"):
                at_work.append(1)
                most.append(len(at_work))
                at_work.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80
    assert len(caplog.records) <= 80
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF])
def test_a_drive_without_locks_is_no_obstacle(tmp_path, monkeypatch, number):
    import fcntl

    def refuse(*arguments):
        raise OSError(number, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with turn(tmp_path / "new" / "a", "export", waits=False):
        pass
    assert list((tmp_path / "new").iterdir()) == []


def test_a_name_that_leaves_no_room_for_a_lock_is_no_obstacle(tmp_path):
    with turn(tmp_path / ("a" * 255), "export"):
        assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / ".a.lock").symlink_to(tmp_path / "elsewhere")
    with turn(tmp_path / "a", "export"):
        assert not (tmp_path / "elsewhere").exists()
