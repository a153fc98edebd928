import io

import pytest

from keras_dtl.cli import convert
from keras_dtl.cli.progress import ProgressBar


class Output(io.StringIO):
    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


@pytest.fixture
def output(monkeypatch):
    """Return a function that puts a terminal, or a file, in the place of standard output."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def replace(is_terminal):
        stream = Output(is_terminal)
        monkeypatch.setattr("sys.stdout", stream)
        return stream

    return replace


def test_a_terminal_shows_how_far_the_work_is(output):
    stream = output(True)
    with ProgressBar() as bar:
        assert bar.is_drawn and bar.elapsed > 0
        bar.move(3, 10, "content 0.5")
    assert "3/10" in stream.getvalue() and "content 0.5" in stream.getvalue()


def test_a_file_gets_nothing(output):
    stream = output(False)
    with ProgressBar() as bar:
        bar.move(3, 10, "content 0.5")
        assert not bar.is_drawn
    assert stream.getvalue() == ""


def test_what_is_done_at_the_first_step_needs_no_bar(output):
    stream = output(True)
    with ProgressBar() as bar:
        bar.move(1, 1, "1 images/s")
    assert stream.getvalue() == ""
    with ProgressBar() as bar:
        bar.move(1, 2, "1 images/s")
        bar.move(2, 2, "1 images/s")
    assert "2/2" in stream.getvalue()


def test_conversion_moves_the_bar_with_files_a_second(output):
    stream = output(True)
    with ProgressBar() as bar:
        convert._progress(bar)(3, 10)
    assert "3/10" in stream.getvalue() and "files/s" in stream.getvalue()
    output(False)
    with ProgressBar() as bar:
        assert convert._progress(bar) is None
