import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from keras_dtl.evaluation import Report, figures

VOID = {"meta", "br", "img", "link", "input"}


class Page(HTMLParser):
    """What a browser would see: elements, attributes and text; every element closed."""

    def __init__(self, report):
        super().__init__()
        self.open, self.elements, self.attributes, self.text = [], [], [], []
        self.feed(report.html())
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)


@pytest.fixture(scope="module")
def full():
    rng = np.random.default_rng(0)
    report = Report("A run", "One line.\n\nAnother.", {"accuracy": 0.78125, "time": "41 s"})
    report.add_text("Words", "All is well.", kind="note")
    report.add_text("Words", "Not so well.", kind="warning")
    report.add_figure("Curves", figures.curves({"loss": [2, 1], "accuracy": [0.1, 0.9]}), "Falls.")
    images = rng.integers(0, 256, (4, 16, 16, 3), np.uint8)
    report.add_figure("Images", figures.image_grid(images, titles=["<a>", "&", "$", "猫"]))
    matrix = np.array([[5, 1], [0, 6]])
    report.add_figure("Confusion", figures.confusion_matrix(matrix, ["cat", "dog"]))
    points, labels = rng.normal(size=(10, 2)), np.arange(10) % 2
    domains = ["source"] * 5 + ["target"] * 5
    scatter = figures.embedding_scatter({"before": points}, labels, domains, ["cat", "dog"])
    report.add_figure("Features", scatter)
    report.add_figure("Bars", figures.bars({"a": [0.1, 0.2]}))
    report.add_table("Settings", {"seed": 0, "optimizer": {"rate": 0.1}}, collapsed=True)
    return report


def test_report_is_well_formed_and_complete(full):
    page = Page(full)
    assert page.elements.count("svg") == page.elements.count("figure") == 5
    assert page.elements.count("details") == 1
    assert page.elements.count("h2") == 7  # the two texts share theirs
    text = " ".join(page.text)
    for part in ("A run", "One line.", "Another.", "0.7812", "Falls.", "optimizer.rate", "<a>"):
        assert part in text


def test_report_loads_nothing_from_elsewhere(full):
    page = Page(full)
    assert not {"script", "link", "iframe", "object", "img"} & set(page.elements)
    references = [value for name, value in page.attributes if name.endswith(("href", "src"))]
    assert references
    assert all(value.startswith(("#", "data:image/")) for value in references)
    assert "://" not in full.html()
    assert "@import" not in full.html()
    assert set(re.findall(r"url\((.)", full.html())) == {"#"}


def test_report_keeps_labels_of_figures_as_text(full):
    text = Page(full).text
    for label in ("epoch", "accuracy (%)", "猫", "predicted class", "5", "source"):
        assert label in text


def test_report_follows_light_and_dark(full):
    page = full.html()
    assert "prefers-color-scheme: dark" in page
    used = set(re.findall(r"var\((--[\w-]+)\)", page))
    light, dark = (
        set(re.findall(r"(--[\w-]+):", block))
        for block in re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    )
    assert used <= light == dark


def test_report_has_no_identifier_twice(full):
    identifiers = [value for name, value in Page(full).attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))


def test_report_figures_are_the_same_each_time():
    first, second = Report("x"), Report("x")
    for report in (first, second):
        report.add_figure("bars", figures.bars({"a": 0.5}))
    assert re.findall("<figure.*?</figure>", first.html(), re.DOTALL) == re.findall(
        "<figure.*?</figure>", second.html(), re.DOTALL
    )


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30))
def test_report_escapes_whatever_is_shown(text):
    def build(text):
        report = Report(text, text, {text: text})
        report.add_text(text, text)
        report.add_table(text + "1", [{text: text}], collapsed=True)
        report.add_table(text + "2", {text: text})
        return Page(report)

    page = build(text)
    assert set(page.elements) <= set(build("x").elements)
    assert {name for name, _ in page.attributes} <= {name for name, _ in build("x1").attributes} | {
        "class"
    }
    assert "".join(page.text).count(text) >= 6


@settings(max_examples=12, deadline=None)
@given(st.text("<>&\"'$^_\\{}%#ab", max_size=12))
def test_report_escapes_labels_of_figures(text):
    report = Report("x")
    report.add_figure(text, figures.bars({text: 0.5, "other": 0.2}, axis_label=text), text)
    page = Page(report)
    assert page.elements.count("svg") == 1
    assert "script" not in page.elements
    assert ("aria-label", text) in page.attributes


def test_report_survives_names_that_are_no_unicode(tmp_path):
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    report = Report(name, name, {name: name})
    report.add_figure(name, figures.confusion_matrix(np.eye(2), [name, "b"]), name)
    report.write(tmp_path / "report.html")
    assert "caf?" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_tables_take_three_forms():
    report = Report("x")
    report.add_table("mapping", {"seed": 1, "nothing": None, "on": True, "shape": (2, 0.123456)})
    report.add_table("records", [{"class": "cat", "share": 0.51239}, {"class": "dog", "count": 3}])
    report.add_table("rows", [("a", "12.5 %"), ("b", "3.1 %")], columns=["name", "share"])
    report.add_table("nothing", [], columns=["name"])
    page = Page(report)
    words = "|".join(page.text)
    for part in ("–", "yes", "2, 0.1235", "class|share|count", "cat|0.5124|–", "dog|–|3"):
        assert part in words
    assert report.html().count('<td class="number">12.5 %</td>') == 1


def test_table_refuses_a_row_of_another_length():
    with pytest.raises(ValueError, match=r"must have 2 values, got \['c'\]"):
        Report("x").add_table("rows", [("a", 1), ("c",)])


def test_text_refuses_an_unknown_kind():
    with pytest.raises(ValueError, match="'shout'"):
        Report("x").add_text("heading", "words", kind="shout")


def test_report_stores_photos_small():
    smooth = np.linspace(0, 255, 256 * 256).reshape(1, 256, 256, 1).repeat(3, axis=-1)
    noise = np.random.default_rng(0).integers(-20, 20, (4, 256, 256, 3))
    images = np.clip(smooth + noise, 0, 255).astype(np.uint8)
    report = Report("x")
    report.add_figure("photos", figures.image_grid(images, columns=2))
    assert "data:image/webp" in report.html()
    assert len(report.html()) < 600_000


def test_report_takes_any_matplotlib_figure():
    figure = Figure()
    figure.subplots().plot([1, 2], color="#123456")
    report = Report("x")
    report.add_figure("own", figure)
    assert "#123456" in report.html()


def test_report_write_leaves_the_old_page_when_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "report.html"
    Report("first").write(path)
    monkeypatch.setattr(Report, "html", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Report("second").write(path)
    assert "first" in path.read_text(encoding="utf-8")
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
