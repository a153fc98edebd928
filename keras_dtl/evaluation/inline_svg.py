"""Figures as SVG that stands in a page, with photos as WebP where that is smaller."""

import base64
import io
import re
import warnings

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from keras_dtl.evaluation.figures.appearance import theme_svg

# Dots an inch of images and of anything else in a figure that is made of pixels.
RESOLUTION = 150
# Embedded pictures above this many characters are tried as WebP.
LARGE_PICTURE = 50_000


def inline_svg(figure: Figure) -> str:
    """Return a figure as SVG for use inside HTML, with text as text.

    Args:
        figure: The matplotlib figure.
    """
    text = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": "keras_dtl", "image.composite_image": True}
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # The reader's browser has the characters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(text, format="svg", dpi=RESOLUTION, metadata=nothing)
    return theme_svg(_shrink_pictures(_fit_page(text.getvalue())))


def _fit_page(svg):
    """Drop what only a stand-alone file needs, and let the page scale the figure down."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<style[^>]*>.*?</style>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # the same in every figure of the page
    head, rest = svg.split(">", 1)
    width = float(re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+)', head)[1])
    head = re.sub(r' (xmlns(:\w+)?|version|width|height)="[^"]*"', "", head)
    return f'{head} style="max-width: {width / 72:.2f}in">{rest}'


def _shrink_pictures(svg):
    return re.sub(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)", _smaller_picture, svg)


def _smaller_picture(match):
    """Return an embedded PNG as WebP where that is smaller, as it is with photos."""
    encoded = re.sub(r"\s", "", match[1])
    if len(encoded) > LARGE_PICTURE:
        webp = io.BytesIO()
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
            image.save(webp, "WEBP", quality=90)
        smaller = base64.b64encode(webp.getvalue()).decode()
        if len(smaller) < len(encoded):
            return f"data:image/webp;base64,{smaller}"
    return f"data:image/png;base64,{encoded}"
