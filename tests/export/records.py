"""What the slow tests measured, as JSON beside them and as tables in exported/README.md."""

import json
import platform
import re
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[2] / "exported" / "README.md"
PACKAGES = ("tensorflow", "keras", "onnx", "onnxruntime", "pillow")


def place_of(name):
    """Return the JSON file of a record, such as `"file_corpus"`."""
    return Path(__file__).with_name(f"{name}.json")


def read_record(name):
    return json.loads(place_of(name).read_text(encoding="utf-8"))


def write_record(name, record, table, packages=PACKAGES):
    """Write what was measured, with versions, and its table into the page.

    Args:
        name: Of the record; its table stands between `<!-- NAME -->` and `<!-- end of NAME -->`.
        record: What JSON can hold.
        table: A function from the record to the table.
        packages: Whose versions are named.
    """
    versions = {package: version(package) for package in packages}
    record = {"versions": versions | {"python": platform.python_version()}} | record
    place_of(name).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    found = ", ".join(f"{package} {number}" for package, number in record["versions"].items())
    text = f"{begin}\n{table(record)}\n\nWith {found}.\n{end}"
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(f"{begin}.*{end}", lambda _: text, page, flags=re.DOTALL), "utf-8")


def is_in_page(name, table):
    """Whether the page shows the table of the record that is kept, where one is."""
    return not place_of(name).exists() or table(read_record(name)) in PAGE.read_text(
        encoding="utf-8"
    )


def rows(header, lines):
    """Return a table of markdown."""
    head, *rest = ("| " + " | ".join(map(str, cells)) + " |" for cells in (header, *lines))
    return "\n".join([head, "|" + "---|" * len(header), *rest])
