"""The page of images before and after: whole without a network, whatever the files are called."""

import html.parser
import json

from keras_dtl.convert import convert_folder
from keras_dtl.images import write_image
from tests.convert.conftest import colour

HOSTILE = "<script>alert(1)</script>\" onerror='x'.png".replace("/", "&")


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def test_names_cannot_become_markup_and_nothing_is_loaded(negative, tmp_path):
    write_image(tmp_path / "photos" / HOSTILE, colour("red"))
    (tmp_path / "photos" / f"bad {HOSTILE}").write_bytes(b"no image")
    report = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    assert report.exit_status == 1
    page = Page((tmp_path / "out" / "gallery.html").read_text())
    assert page.tags.count("img") == 2  # before and after
    assert "script" not in page.tags
    names = [name for name, _ in page.attributes]
    assert not [name for name in names if name.startswith("on")]
    for name, value in page.attributes:
        if name == "src":
            assert value.startswith("data:image/jpeg;base64,")
        if name == "href":
            assert "<" not in value
            assert ":" not in value


def test_report_names_every_failure_and_how_busy_the_stages_were(negative, photos, tmp_path):
    report = convert_folder(negative, photos, tmp_path / "out")
    value = json.loads((tmp_path / "out" / "report.json").read_text())
    assert value["converted"] == report.converted == 4
    ((failed),) = value["failed"]
    assert failed["file"].endswith("truncated.png")
    assert failed["reason"]
    assert value["images_per_second"] > 0
    assert set(value["stages"]["busy_share"]) == {"reading", "session", "writing"}
    assert all(0 <= share <= 1.01 for share in value["stages"]["busy_share"].values())
    assert value["provider"] == "CPUExecutionProvider"
