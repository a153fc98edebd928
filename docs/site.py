"""What the site holds beside the pages of this folder: pages of the root, pictures, and the API."""

import ast
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
RESULTS = "scripts/benchmarks/results"
ROOMS = (
    *("methods", "layers", "losses", "backbones", "callbacks"),
    *("data", "evaluation", "export", "convert"),
)


def on_files(files, config):
    """Add the README as the home page, other pages of the root, pictures and the API."""
    shipped = ("exported/starry-night/README.md", "exported/starry-night/before_after.jpg")
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "exported/README.md", *shipped):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    files.append(File.generated(config, "index.md", abs_src_path=str(ROOT / "README.md")))
    files.append(File.generated(config, "LICENSE", abs_src_path=str(ROOT / "LICENSE")))
    for path in sorted((ROOT / RESULTS).rglob("*")):
        if path.is_file():
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    for path in sorted((ROOT / "docs" / "tutorials").glob("*.py")):
        text = page_of_tutorial(path.read_text(encoding="utf-8"))
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=text))
    for name, text in api_pages().items():
        files.append(File.generated(config, f"api/{name}.md", content=text))
    return files


def on_page_markdown(markdown, page, **_):
    """Turn links between pages as they lie in the repository into those of the site."""
    if page.file.src_uri in ("index.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        return re.sub(r"\]\(docs/", "](", markdown)
    up = "../" * page.file.src_uri.count("/")
    outside = rf"\]\({up}\.\./(scripts/|exported/|CONTRIBUTING|CHANGELOG|README)"
    return re.sub(outside, rf"]({up}\1", markdown)


def page_of_tutorial(text):
    """Return the Markdown of a script in jupytext's percent form."""
    parts = []
    for cell in re.split(r"^# %%", text, flags=re.M)[1:]:
        kind, _, body = cell.partition("\n")
        if "[markdown]" in kind:
            parts.append(re.sub(r"^# ?", "", body.strip(), flags=re.M))
        elif body.strip():
            parts.append(f"```python\n{body.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def api_pages():
    """Return `{name: Markdown}`: a page a room, each public name once, in the order of its list."""
    pages = {room: page_of(room, public_names(ROOT / "keras_dtl" / room)) for room in ROOMS}
    stub = ast.parse((ROOT / "keras_dtl" / "__init__.pyi").read_text(encoding="utf-8"))
    lines = ["# keras_dtl", "", "Names of the package itself, and the room that explains each.", ""]
    for node in stub.body:
        if isinstance(node, ast.ImportFrom) and node.module in ROOMS:
            room = node.module
            names = [alias.name for alias in node.names]
            lines += [f"- [`{name}`]({room}.md#keras_dtl.{room}.{name})" for name in names]
    return {"keras_dtl": "\n".join(lines) + "\n", **pages}


def page_of(room, names):
    """Return the page of a room: the first line of its docstring, then its names."""
    tree = ast.parse((ROOT / "keras_dtl" / room / "__init__.py").read_text(encoding="utf-8"))
    parts = [f"# keras_dtl.{room}", ast.get_docstring(tree) or ""]
    return "\n\n".join([*parts, *(f"::: keras_dtl.{room}.{name}" for name in names)]) + "\n"


def public_names(folder):
    """Return what a room's `__all__` lists."""
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [name.value for name in node.value.elts]
    raise ValueError(f"{folder} lists no public names. Expected __all__ in its __init__.py.")
