"""A training and its results in one HTML file that opens anywhere, offline too."""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from string import Template

import numpy as np
from matplotlib.figure import Figure

from keras_dtl import files
from keras_dtl.evaluation.inline_svg import inline_svg
from keras_dtl.evaluation.meanings import meaning_of
from keras_dtl.evaluation.report_style import REPORT_STYLE
from keras_dtl.page import escape, html_page
from keras_dtl.version import __version__

_BODY = Template("""<main>
<header>
<h1>$title</h1>
$summary
</header>
$sections
<footer>$footer</footer>
</main>""")


class Report:
    """Tables, figures and words, written as one self-contained HTML file.

    Figures are inline SVG, whose colours follow the reader's light or dark setting where they
    come from `keras_dtl.evaluation.figures`. Nothing is loaded from elsewhere, no script runs,
    and whatever is shown is escaped. Pieces appear in the order in which they were added; under
    the same heading as the piece before, they share it.

    Args:
        title: What the report is about, in a line.
        summary: One or a few sentences below the title.
        numbers: Label to value, the few that matter most, shown as cards at the top.

    Example:

    ```python
    from keras_dtl.evaluation import Report, figures

    report = Report("DANN", "Ten epochs on two cores.", {"accuracy on the target": "78.1 %"})
    curves = figures.curves({"label_loss": [2.3, 0.9, 0.4]})
    report.add_figure("Training", curves, "The loss falls.")
    report.add_table("Settings", {"epochs": 10, "batch_size": 64}, collapsed=True)
    report.write("report.html")
    ```
    """

    def __init__(self, title: str, summary: str = "", numbers: Mapping | None = None):
        self.title = title
        self.summary = summary
        self.numbers = dict(numbers or {})
        self.files = {}  # text of each file that lies beside the report
        self._pieces = []  # (heading, HTML)

    def add_text(self, heading: str, text: str, kind: str = "plain") -> None:
        """Add paragraphs.

        Args:
            heading: Heading above them.
            text: The paragraphs, which empty lines part.
            kind: `"plain"`, or `"note"` or `"warning"`, which stand in a box of their own colour.

        Raises:
            ValueError: For another kind.
        """
        if kind not in ("plain", "note", "warning"):
            raise ValueError(f"`kind` must be 'plain', 'note' or 'warning', got {kind!r}.")
        body = _paragraphs(text)
        boxes = {"plain": body, "note": f'<div class="note">{body}</div>'}
        boxes["warning"] = f'<div class="note warning">{body}</div>'
        self._pieces.append((heading, boxes[kind]))

    def add_table(
        self,
        heading: str,
        rows: Mapping | Sequence,
        columns: Sequence[str] | None = None,
        collapsed: bool = False,
    ) -> None:
        """Add a table.

        Args:
            heading: Heading above it.
            rows: Name to value (nested mappings become dotted names), a list of mappings from
                column to value, or a list of sequences.
            columns: Column names in order. By default those of the mappings; none for the rest.
            collapsed: Whether the reader must click to see it, as with long settings.

        Raises:
            ValueError: When a sequence is not as long as there are columns.
        """
        columns, rows = _columns_and_rows(rows, columns)
        body = _table(columns, rows)
        if collapsed:
            body = f"<details><summary>Show all {len(rows)} entries</summary>{body}</details>"
        self._pieces.append((heading, body))

    def add_scores(self, heading: str, scores: Mapping) -> None:
        """Add a table of measures, with what each means and its unit.

        Args:
            heading: Heading above it.
            scores: Name to number, or to a mapping of such.
        """
        rows = [(name, value, meaning_of(name)) for name, value in _flatten(scores)]
        self.add_table(heading, rows, ("measure", "value", "what it is"))

    def add_figure(self, heading: str, figure: Figure, caption: str = "") -> None:
        """Add a matplotlib figure as it is now.

        Args:
            heading: Heading above it.
            figure: The figure.
            caption: What to see in it; stands below.
        """
        caption = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        label = escape(heading)
        svg = inline_svg(figure).replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
        self._pieces.append((heading, f"<figure>{svg}{caption}</figure>"))

    def add_animation(self, heading: str, gif: bytes, caption: str = "") -> None:
        """Add an animated picture.

        Args:
            heading: Heading above it.
            gif: The bytes of a GIF file.
            caption: What to see in it; stands below.
        """
        data = base64.b64encode(gif).decode()
        caption = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        picture = f'<img alt="{escape(heading)}" src="data:image/gif;base64,{data}">'
        self._pieces.append((heading, f"<figure>{picture}{caption}</figure>"))

    def add_file(self, heading: str, name: str, text: str, label: str) -> None:
        """Add a link to a page that `write` puts beside the report.

        Args:
            heading: Heading above it.
            name: Of the file.
            text: HTML of that page, which may hold a script.
            label: What the link says.
        """
        self.files[name] = text
        self._pieces.append((heading, f'<p><a href="{escape(name)}">{escape(label)}</a></p>'))

    def html(self) -> str:
        """Return the page as text."""
        now = datetime.now().astimezone()
        body = _BODY.substitute(
            title=escape(self.title),
            summary=_summary(self.summary) + _cards(self.numbers),
            sections=_sections(self._pieces),
            footer=f"keras_dtl {escape(__version__)}, {now:%Y-%m-%d %H:%M %Z}",
        )
        return html_page(self.title, body, REPORT_STYLE, "img-src data:")

    def write(self, path: str | Path) -> None:
        """Write the page, whole or not at all; missing folders are made.

        Args:
            path: Of the HTML file; what `add_file` took is written beside it.
        """
        for name, text in self.files.items():
            files.write_text(Path(path).parent / name, text)
        files.write_text(path, self.html())


def _paragraphs(text, style=""):
    parts = re.split(r"\n\s*\n", str(text).strip())
    return "".join(f"<p{style}>{escape(part)}</p>" for part in parts if part)


def _summary(text):
    return _paragraphs(text, ' class="summary"')


def _cards(numbers):
    cards = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(_cell_text(value))}</dd></div>"
        for name, value in numbers.items()
    )
    return f'<dl class="cards">{cards}</dl>' if cards else ""


def _sections(pieces):
    lines, last = [], None
    for heading, body in pieces:
        if heading != last:
            lines.append(f"<h2>{escape(heading)}</h2>")
        lines.append(body)
        last = heading
    return "\n".join(lines)


def _cell_text(value):
    """Return a value as a reader wants it: four digits, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(_cell_text(item)) for item in value)
    return value


def _columns_and_rows(rows, columns):
    """Bring a table's three forms into one: column names, or None, and lists of values."""
    rows = list(_flatten(rows)) if isinstance(rows, Mapping) else list(rows)
    if rows and isinstance(rows[0], Mapping):
        columns = columns or list(dict.fromkeys(name for row in rows for name in row))
        rows = [[row.get(name) for name in columns] for row in rows]
    rows = [list(row) for row in rows]
    width = len(columns or (rows[0] if rows else ()))
    for row in rows:
        if len(row) != width:
            raise ValueError(f"Every row of the table must have {width} values, got {row}.")
    return columns, rows


def _table(columns, rows):
    numeric = [_is_numeric(values) for values in zip(*rows, strict=True)]
    numeric = numeric or [False] * len(columns or [])
    head = f"<thead>{_row(columns, numeric, 'th')}</thead>" if columns else ""
    body = "".join(_row(row, numeric, "td") for row in rows)
    return f'<div class="table"><table>{head}<tbody>{body}</tbody></table></div>'


def _flatten(mapping, prefix=""):
    for name, value in mapping.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _is_numeric(values):
    """Whether a column aligns to the right: it holds numbers, written out or not."""
    values = [value for value in values if value is not None]
    return bool(values) and all(_looks_numeric(value) for value in values)


def _looks_numeric(value):
    if isinstance(value, str):
        return re.fullmatch(r"[-+±\d][\d.,e± +-]*( ?(%|s|ms|MB|GB))?", value) is not None
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _row(values, numeric, tag):
    cells = []
    for place, (value, is_number) in enumerate(zip(values, numeric, strict=True)):
        name = "th" if place == 0 else tag
        scope = ' scope="row"' if place == 0 and tag == "td" else ""
        style = ' class="number"' if is_number else ""
        cells.append(f"<{name}{scope}{style}>{escape(_cell_text(value))}</{name}>")
    return f"<tr>{''.join(cells)}</tr>"
