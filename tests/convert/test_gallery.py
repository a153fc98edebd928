"""The page of images before and after, read as a browser reads it."""

import html.parser
import json
import shutil
import subprocess

import numpy as np
import pytest

from keras_dtl.convert import convert_folder
from keras_dtl.images import read_image, write_image
from tests.convert.conftest import colour

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
EVIL = "<img src=x onerror=alert(1)>&\"'.png"


class Elements(html.parser.HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def converted(negative, tmp_path):
    """A folder converted, of whose images one has a name that is HTML and one is none."""
    write_image(tmp_path / "photos" / EVIL, colour("red", 200, 300))
    (tmp_path / "photos" / "<b>.png").write_bytes(b"no image")
    report = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    assert report.exit_status == 1
    return tmp_path / "out"


def test_names_are_shown_and_never_executed(converted):
    page = Elements((converted / "gallery.html").read_text("utf-8"))
    assert EVIL in page.words
    assert "<b>.png" in page.words
    assert not page.all("b")
    assert not page.all("script")
    assert [image["alt"] for image in page.all("img")] == ["before", "after"]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_images_of_the_whole_folder_are_shown(negative, tmp_path):
    for index in range(7):
        write_image(tmp_path / "photos" / f"{index}.png", colour("red", 8, 8))
    convert_folder(negative, tmp_path / "photos", tmp_path / "out", gallery=4)
    page = Elements((tmp_path / "out" / "gallery.html").read_text("utf-8"))
    shown = [index for index in range(7) if f"{index}.png" in page.words]
    assert shown == [0, 1, 3, 5]


def test_page_asks_for_nothing_from_elsewhere(converted):
    page = Elements((converted / "gallery.html").read_text("utf-8"))
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.all("img"))
    links = [link["href"] for link in page.all("a") if "href" in link]
    assert len(links) == 1
    assert "://" not in links[0]
    assert not page.all("link")


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_browser_shows_both_images_side_by_side(converted, tmp_path):
    picture = tmp_path / "screen.png"
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1000,700"]
    command += [f"--screenshot={picture}", (converted / "gallery.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pixels = read_image(picture).astype(int)
    red, cyan = [], []
    for found, wanted in ((red, (255, 0, 0)), (cyan, (0, 255, 255))):
        rows, columns = np.nonzero((np.abs(pixels - wanted) < 12).all(-1))
        assert len(rows) > 10_000
        found += [rows.mean(), columns.min(), columns.max()]
    assert abs(red[0] - cyan[0]) < 10  # the same height on the page
    assert red[2] < cyan[1]  # one beside the other


def test_report_says_what_every_stage_did(converted):
    report = json.loads((converted / "report.json").read_text("utf-8"))
    assert report["converted"] == 1
    assert report["failed"][0]["reason"].startswith("cannot be read as an image")
    shares = report["stages"]["busy_share"]
    assert set(shares) == {"reading", "session", "writing"}
    assert all(0 < share <= 1 for share in shares.values())
    assert report["images_per_second"] > 0
