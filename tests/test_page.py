import re
import subprocess
import sys

import pytest

from keras_dtl.page import INK, escape, html_page, printable, style_sheet


def test_page_has_one_frame_and_allows_what_it_names_alone():
    page = html_page("<b> & title", "<p>words</p>", style_sheet("p { color: $ink; }"), "img-src x:")
    assert page.startswith("<!DOCTYPE html>") and page.count("<style>") == 1
    assert "<title>&lt;b&gt; &amp; title</title>" in page and "<p>words</p>" in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src x:"
    assert f"p {{ color: var(--color-{INK[1:]}); }}" in page


def test_page_is_light_and_dark():
    page = html_page("x", "", "", "")
    assert page.count("--color-1b2126: ") == 2 and "prefers-color-scheme: dark" in page
    assert "--color-1b2126: #1b2126;" in page and "--color-1b2126: #e8eaed;" in page


def test_unknown_colours_are_refused():
    with pytest.raises(KeyError, match="nocolour"):
        style_sheet("p { color: $nocolour; }")


def test_names_that_are_no_unicode_are_shown():
    name = b"caf\xe9<".decode("utf-8", "surrogateescape")
    assert printable(name) == "caf?<" and escape(name) == "caf?&lt;"


def test_gallery_needs_no_figure_library():
    code = (
        "import sys, keras_dtl.convert.gallery;"
        "print({'matplotlib', 'sklearn', 'keras'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
