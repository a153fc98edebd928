"""A page that shows some images before and after, without a network."""

import base64
import io
import os
import urllib.parse
from pathlib import Path
from string import Template

from keras_dtl.convert.items import Item
from keras_dtl.convert.options import Options
from keras_dtl.convert.report import ConversionReport
from keras_dtl.convert.tasks.task import Task
from keras_dtl.files import readable_name
from keras_dtl.images import ImageError
from keras_dtl.page import escape, html_page, style_sheet

_STYLE = style_sheet("""
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
main { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); }
figure { margin: 0; padding: .75rem; background: $surface; border: 1px solid $grid;
  border-radius: 6px; }
figure div { display: flex; gap: .5rem; align-items: center; }
img { width: 100%; height: auto; min-width: 0; object-fit: contain; background:
  repeating-conic-gradient(#eee 0 25%, #fff 0 50%) 0 0 / 16px 16px; }
a { flex: 1; min-width: 0; }
strong { flex: 1; font-size: 1.1rem; text-align: center; }
table { width: 100%; background: $surface; }
""")
_BODY = Template("""<h1>$title</h1>
<p>$summary</p>
<main>
$figures
</main>
$failures""")


def gallery_page(
    folder: Path,
    report: ConversionReport,
    task: Task,
    items: list[Item],
    name: str,
    options: Options,
) -> str:
    """Return the page: images or motion before and after side by side, and what failed.

    The pictures are small copies inside the page; a click opens the whole output.

    Args:
        folder: Where the page will be.
        report: The `ConversionReport`.
        task: The `Task`, whose `preview` is shown.
        items: All `Item`s of the conversion.
        name: The artifact's name.
        options: The `Options`; `gallery` is how many are shown.
    """
    shown, figures = min(len(items), options.gallery), []
    for place in range(shown):
        figures += _figure(items[place * len(items) // shown], task, folder)
    title = f"{name}: before and after"
    body = _BODY.substitute(
        title=escape(title),
        summary=escape(
            f"{report.converted} converted, {report.skipped} done before, "
            f"{len(report.failed)} failed; {len(figures)} are shown."
        ),
        figures="\n".join(figures),
        failures=_failures(report),
    )
    return html_page(title, body, _STYLE, "img-src data: file: 'self'")


def _figure(item, task, folder):
    """Return the figure of an item in a list, which is empty where there is nothing to show."""
    try:
        preview = task.preview(item)
    except (ImageError, OSError, ValueError):
        return []
    if preview is None:
        return []
    if isinstance(preview.after, str):
        after = f"<strong>{escape(preview.after)}</strong>"
    else:
        after = f'<a href="{_link(preview.target, folder)}">{_element(preview.after, "after")}</a>'
    before, caption = _element(preview.before, "before"), escape(readable_name(item.name))
    return [f"<figure><div><a>{before}</a>{after}</div><figcaption>{caption}</figcaption></figure>"]


def _link(path, folder):
    # Bytes of a name that are no UTF-8 are escaped as they are.
    return urllib.parse.quote(os.fsencode(os.path.relpath(path, folder)))


def _element(picture, word):
    """Return an image, inside the page, as HTML."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{word}" src="data:image/jpeg;base64,{data}">'


def _failures(report):
    if not report.failed:
        return ""
    rows = (
        f"<tr><td>{escape(readable_name(failure.path))}</td><td>{escape(failure.reason)}</td></tr>"
        for failure in report.failed[:1000]
    )
    return f"<h2>Failed</h2>\n<table>\n{''.join(rows)}\n</table>"
