"""The one HTML page that report, gallery and player are: its frame, its colours, its style sheet.

Needs nothing but Python, so that a conversion writes its gallery without a figure library.
"""

import html
from string import Template

SURFACE = "#ffffff"
INK = "#1b2126"
MUTED = "#5f6b75"
GRID = "#e4e8eb"
# Petroff 2021, "Accessible color sequences for data visualization": told apart by colour-blind
# eyes. Reordered, so that the few lines of a plot get the strong ones.
SERIES = (
    "#3f90da",
    "#e76300",
    "#832db6",
    "#ffa90e",
    "#bd1f01",
    "#92dadd",
    "#a96b59",
    "#717581",
    "#b9ac70",
    "#94a4a2",
)
ACCENT, WARNING = SERIES[0], SERIES[4]

# What each colour becomes on a dark page; those left out read on both.
DARK = {
    SURFACE: "#171a1e",
    INK: "#e8eaed",
    MUTED: "#a0a8b0",
    GRID: "#30363c",
    "#832db6": "#b277dd",
    "#bd1f01": "#f0634a",
    "#a96b59": "#c98a77",
    "#717581": "#8d93a1",
}

FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def css_variable(color: str) -> str:
    """Return the name of the CSS variable that holds a colour.

    Args:
        color: One of this module's, `#rrggbb`.
    """
    return f"--color-{color[1:]}"


def color_variables(dark: bool = False) -> str:
    """Return CSS declarations of one variable a colour.

    Args:
        dark: Whether they are for a dark page.
    """
    colors = dict.fromkeys((SURFACE, INK, MUTED, GRID, *SERIES))
    return " ".join(f"{css_variable(c)}: {DARK.get(c, c) if dark else c};" for c in colors)


def style_sheet(text: str) -> str:
    """Return CSS in which the page's colours stand for their names.

    Args:
        text: CSS with `$surface`, `$ink`, `$muted`, `$grid`, `$accent`, `$warning` and `$fonts`.
    """
    names = {"surface": SURFACE, "ink": INK, "muted": MUTED, "grid": GRID}
    names |= {"accent": ACCENT, "warning": WARNING}
    colors = {name: f"var({css_variable(color)})" for name, color in names.items()}
    return Template(text).substitute(colors, fonts=FONTS)


_COLORS = (
    f":root {{ color-scheme: light dark; {color_variables()}\n"
    "  --ground: #f5f6f7; --soft: #eff2f4; --link: #1f6fb5; --alarm: #fdf0ee; }\n"
    f"@media (prefers-color-scheme: dark) {{ :root {{ {color_variables(dark=True)}\n"
    "  --ground: #0f1113; --soft: #21262b; --link: #7bb8f0; --alarm: #33201d; } }"
)
_STYLE = _COLORS + style_sheet("""
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: $ink; font: 16px/1.55 $fonts; }
h1, h2, p, dt, dd, th, td, figcaption { overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; }
h2 { margin: 2.75rem 0 0.9rem; padding-bottom: 0.35rem; font-size: 1.2rem;
  border-bottom: 1px solid $grid; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.9rem; text-align: left; vertical-align: top; white-space: pre-line; }
tr > :first-child { padding-left: 0.25rem; }
tr > * { border-top: 1px solid $grid; }
thead tr > *, table > tbody:first-child > tr:first-child > * { border-top: 0; }
figcaption { margin-top: 0.6rem; font-size: 0.9rem; color: $muted; }
""")

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'; $sources">
<title>$title</title>
<style>$style</style>
</head>
<body>
$body
</body>
</html>
""")


def html_page(title: str, body: str, style: str, sources: str) -> str:
    """Return a whole page that loads nothing but what its policy names.

    Args:
        title: Text of the browser's tab; escaped here.
        body: HTML of the body, whose texts `escape` was given.
        style: What `style_sheet` made of the rules that this page has beside the common ones.
        sources: What else the page may use, as a content security policy says it:
            `"img-src data:"`, `"script-src 'unsafe-inline'"`.
    """
    return _PAGE.substitute(title=escape(title), style=_STYLE + style, sources=sources, body=body)


def escape(value: object) -> str:
    """Return the text of a value as HTML shows it, whatever characters it holds.

    Args:
        value: Anything with a `str`.
    """
    return html.escape(printable(value))


def printable(value: object) -> str:
    """Return the text of a value, with a question mark for bytes of a name that are no UTF-8.

    Args:
        value: Anything with a `str`, such as a file's name.
    """
    return str(value).encode("utf-8", "replace").decode("utf-8")
