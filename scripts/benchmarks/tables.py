"""Write the tables of the README and of docs/results from the results that the benchmarks kept.

    python scripts/benchmarks/tables.py
    python scripts/benchmarks/tables.py --check   # only say whether the pages are up to date

A table stands between `<!-- NAME -->` and `<!-- /NAME -->`; NAME is that of its file in results/,
or `headlines`, which are of several. A result that is not there yet leaves its place empty.
"""

import argparse
import json
import sys
from pathlib import Path

from adaptation_tables import (
    adapt_peer,
    digits,
    label_shift,
    office_caltech,
    pacs,
    pacs_end_to_end,
    search_regret,
    shots,
    spread,
)
from headlines import headline_rows

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs" / "results").glob("*.md")))


def fine_tuning(result):
    """A row a domain and number of labels, a column a way."""
    ways = list(result["settings"]["ways"])
    rows = {}
    for name, cell in result["cells"].items():
        domain, shots, way = name.split("/")
        rows.setdefault((domain, shots), {})[way] = spread(cell["mean"], cell["sd"])
    return ("domain", "labels a class", *ways), [
        (*key, *(found.get(way, "") for way in ways)) for key, found in rows.items()
    ]


def layer_transfer(result):
    """A row a kind of network, a column the layer up to which it was copied."""
    kinds = dict(result["accuracy"])
    base = kinds.pop("base")["0"]
    layers = sorted({layer for found in kinds.values() for layer in found}, key=int)
    rows = [("base", spread(base["mean"], base["sd"]), *[""] * (len(layers) - 1))]
    for kind, found in kinds.items():
        cells = [found.get(layer) for layer in layers]
        rows.append((kind, *(spread(cell["mean"], cell["sd"]) if cell else "" for cell in cells)))
    return ("copied up to layer", *layers), rows


def camvid(result):
    rows = [
        (way, spread(found["mean_iou_mean"], found["mean_iou_sd"]), found["seeds"])
        for way, found in result["ways"].items()
    ]
    return ("method", "mean IoU at dusk", "seeds"), rows


def facades_ablation(result):
    """One row a loss or receptive field: the FCN-score's parts, and KID."""
    measures = {"class_iou": "class IoU", "pixel_accuracy": "pixel accuracy", "kid": "KID"}
    rows = []
    for name, found in result["rows"].items():
        shown = [spread(found["mean"][key], found["sd"][key], 3) for key in measures]
        rows.append((name, *shown, len(found["seeds"])))
    real = result["real photos"]
    rows.append(
        ("real photos", f"{real['class_iou']:.3f}", f"{real['pixel_accuracy']:.3f}", "", "")
    )
    return ("loss", *measures.values(), "seeds"), rows


def translation_quality(result):
    """One row a method and direction: KID of ours and of PyTorch's."""
    rows = []
    for method, scores in result["summary"].items():
        for score, found in scores.items():
            if score == "seconds":
                continue
            cells = [spread(cell["mean"], cell["sd"], 3) for cell in found.values()]
            seeds = sum(key.startswith(f"{method} keras_dtl ") for key in result["runs"])
            name = score.replace("kid", method).replace("_", " ")
            rows.append((name, result["settings"]["steps"][method], *cells, seeds))
    return ("KID of", "steps", "keras_dtl", "PyTorch", "seeds"), rows


def separation(result):
    """One row a training and measure: ours, the published figure, seeds."""
    rows = []
    for name, found in result["rows"].items():
        shown = name
        for measure, mean in found["mean"].items():
            deviation = found["sd"][measure]
            published = (found["published"] or {}).get(measure, "")
            seeds = len(found["seeds"])
            words = measure.replace("_", " ")
            rows.append((shown, words, spread(mean, deviation), published, seeds))
            shown = ""  # once is enough
    return ("training", "measure (%)", "keras_dtl", "published", "seeds"), rows


def motion(result):
    """One row a training and kind of transfer: shares of the real clips' ceiling, and of speed."""
    columns = {
        "style": "style_of_ceiling",
        "action": "action_of_ceiling",
        "speed": "velocity_mean_ratio",
        "its deviation": "velocity_deviation_ratio",
        "jerk": "jerk_ratio",
        "foot skate": "foot_skate_ratio",
    }
    rows = []
    for name, parts in result["summary"].items():
        for part, found in parts.items():
            if part in ("factors", "pairs"):
                continue  # figures of their own, which have no such columns
            cells = [found.get(key) for key in columns.values()]
            shown = [spread(100 * c["mean"], c["sd"] and 100 * c["sd"]) if c else "" for c in cells]
            seeds = next(c["seeds"] for c in cells if c)
            rows.append((name, part.replace("_", " "), *shown, seeds))
            name = ""  # once is enough
    return ("training", "of", *(f"{column}, %" for column in columns), "seeds"), rows


def defaults(result):
    """A row a case, length and recipe: accuracies, and how many trainings failed."""
    names = ("training", "source", "target", "further", "commonest")
    rows = []
    for row in result["rows"]:
        cells = [spread(row[key]["mean"], row[key]["sd"]) if row[key] else "" for key in names]
        failed = f"{row['diverged'] + row['collapsed']} of {row['seeds']}"
        rows.append((row["case"], row["epochs"], row["recipe"], *cells, failed))
    columns = ("learnt", "source", "target", "further target", "its commonest answer")
    return ("case", "epochs", "recipe", *columns, "failed"), rows


def onednn(result):
    """A row a training: processor time of a step, and how often it was measured."""
    names = [run.rpartition(", round ")[0] for run in result["runs"]]
    rows = [(name, f"{ratio:.2f}", names.count(name)) for name, ratio in result["ratios"].items()]
    return ("training", "with oneDNN over without", "rounds"), rows


TABLES = {
    table.__name__: table
    for table in (
        digits,
        pacs,
        pacs_end_to_end,
        search_regret,
        label_shift,
        shots,
        office_caltech,
        adapt_peer,
        fine_tuning,
        layer_transfer,
        camvid,
        facades_ablation,
        translation_quality,
        separation,
        motion,
        defaults,
        onednn,
    )
}


def markdown(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def content_of(name, results):
    """Return the table of this name, or nothing where its results are not all there."""

    def read(file):
        return json.loads((results / f"{file}.json").read_text(encoding="utf-8"))

    try:
        table = headline_rows(read) if name == "headlines" else TABLES[name](read(name))
    except FileNotFoundError:
        return ""
    return markdown(*table) + "\n\n"


def with_tables(text, results):
    """Return a text with every table between its marks renewed.

    Args:
        text: Markdown.
        results: Folder of the benchmarks' files.

    Raises:
        ValueError: When the mark at a table's end is missing.
    """
    for name in ("headlines", *TABLES):
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if begin not in text:
            continue
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"The text has {begin}, but no {end} behind it.")
        text = f"{before}{begin}\n\n{content_of(name, results)}{end}{after}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing, status 1 if out of date"
    )
    arguments = parser.parse_args()
    old = {page: page.read_text(encoding="utf-8") for page in PAGES}
    new = {page: with_tables(text, RESULTS) for page, text in old.items()}
    stale = [page for page in PAGES if new[page] != old[page]]
    if arguments.check:
        names = ", ".join(page.relative_to(ROOT).as_posix() for page in stale)
        print(f"Out of date: {names}. Run python {__file__}" if stale else "up to date")
        return int(bool(stale))
    for page in stale:
        page.write_text(new[page], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
