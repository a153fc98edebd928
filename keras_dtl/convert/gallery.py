"""A page that shows some images before and after, without a network."""

import base64
import html
import io
import os
import urllib.parse
from pathlib import Path

from keras_dtl.convert.items import Item
from keras_dtl.convert.options import Options
from keras_dtl.convert.report import ConversionReport
from keras_dtl.convert.task import Task
from keras_dtl.files import readable_name, write_text
from keras_dtl.images import ImageError

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
img-src data: file: 'self'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
  padding: 0 1rem; color: #222; background: #fafafa; }}
h1 {{ font-size: 1.4rem; }}
main {{ display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); }}
figure {{ margin: 0; padding: .75rem; background: #fff; border: 1px solid #ddd;
  border-radius: 6px; }}
figure div {{ display: flex; gap: .5rem; align-items: center; }}
img {{ width: 100%; height: auto; min-width: 0; object-fit: contain; background:
  repeating-conic-gradient(#eee 0 25%, #fff 0 50%) 0 0 / 16px 16px; }}
a {{ flex: 1; min-width: 0; }}
strong {{ flex: 1; font-size: 1.1rem; text-align: center; }}
figcaption {{ margin-top: .5rem; font-size: .85rem; overflow-wrap: anywhere; color: #555; }}
table {{ border-collapse: collapse; width: 100%; font-size: .9rem; background: #fff; }}
td {{ border: 1px solid #ddd; padding: .3rem .6rem; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
<main>
{figures}
</main>
{failures}
</body>
</html>
"""


def write_gallery(
    path: Path, report: ConversionReport, task: Task, items: list[Item], name: str, options: Options
) -> None:
    """Write the page: images or motion before and after side by side, and what failed.

    The pictures are small copies inside the page; a click opens the whole output.

    Args:
        path: Where to write.
        report: The `ConversionReport`.
        task: The `Task`, whose `preview` is shown.
        items: All `Item`s of the conversion.
        name: The artifact's name.
        options: The `Options`; `gallery` is how many are shown.
    """
    if not options.gallery:
        return
    # Not more than a few times as many are looked at as are shown.
    step = max(1, len(items) // options.gallery)
    figures = []
    for item in items[::step]:
        if len(figures) < options.gallery:
            figures += _figure(item, task, path.parent)
    write_text(
        path,
        _PAGE.format(
            title=html.escape(f"{name}: before and after"),
            summary=html.escape(
                f"{report.converted} converted, {report.skipped} done before, "
                f"{len(report.failed)} failed; {len(figures)} are shown."
            ),
            figures="\n".join(figures),
            failures=_failures(report),
        ),
    )


def _figure(item, task, folder):
    """Return the figure of an item in a list, which is empty where there is nothing to show."""
    try:
        preview = task.preview(item)
    except (ImageError, OSError, ValueError):
        return []
    if preview is None:
        return []
    if isinstance(preview.after, str):
        after = f"<strong>{html.escape(preview.after)}</strong>"
    else:
        after = f'<a href="{_link(preview.target, folder)}">{_element(preview.after, "after")}</a>'
    before, caption = _element(preview.before, "before"), html.escape(readable_name(item.name))
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
        f"<tr><td>{html.escape(readable_name(failure.path))}</td>"
        f"<td>{html.escape(failure.reason)}</td></tr>"
        for failure in report.failed[:1000]
    )
    return f"<h2>Failed</h2>\n<table>\n{''.join(rows)}\n</table>"
