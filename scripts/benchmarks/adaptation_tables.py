"""Tables of domain adaptation: a header and rows, of the results that the benchmarks kept."""

# Named before any result was seen: to take the best of several picks would be to know the labels.
VALIDATOR = "information"
GAINS = ("mean", "worst")
DIGITS = {
    "mnist-usps-sampled": "MNIST to USPS, 2000 and 1800 images",
    "usps-mnist-sampled": "USPS to MNIST, 1800 and 2000 images",
    "mnist-usps": "MNIST to USPS, all images",
    "usps-mnist": "USPS to MNIST, all images",
    "mnist-mnist_m": "MNIST to MNIST-M",
}


def mean_and_deviation(summary):
    return spread(*(summary[f"target_accuracy_{name}"] for name in ("mean", "sd")))


def spread(mean, deviation, digits=1):
    """Return `mean ± deviation`, or the mean alone of a single run."""
    shown = f"{mean:.{digits}f}"
    return shown if deviation is None else f"{shown} ± {deviation:.{digits}f}"


def digits(result):
    """One row a task and method: last iterate, the validator's pick, paper, seeds."""
    header = ("task", "method", "last iterate", "pick without labels", "paper", "seeds")
    rows = []
    for task, words in DIGITS.items():
        for method, found in result["tasks"].get(task, {}).items():
            pick = found["picks"].get(VALIDATOR)
            paper = found["published"] if "+" not in method else None
            rows.append(
                (
                    words,
                    f"{method} *" if found["differs_from_the_paper"] else method,
                    mean_and_deviation(found),
                    "" if pick is None else mean_and_deviation(pick),
                    "" if paper is None else f"{paper:.1f}",
                    len(found["runs"]),
                )
            )
            words = ""  # once is enough
    return header, rows


def by_columns(result, separator):
    """A row a method, a column a task, of keys such as `photo-sketch dann` in `summary`."""
    cells = {tuple(key.split(separator, 1)): value for key, value in result["summary"].items()}
    columns = list(dict.fromkeys(column for column, _ in cells))
    methods = list(dict.fromkeys(method for _, method in cells))
    rows = [
        (m, *(mean_and_deviation(cells[c, m]) if (c, m) in cells else "" for c in columns))
        for m in methods
    ]
    return columns, rows


def pacs(result):
    tasks, rows = by_columns(result, " ")
    return ("method", *(task.replace("-", " to ") for task in tasks)), rows


def pacs_end_to_end(result):
    """A row a method: each task, the mean of its gains over source-only, and the least."""
    tasks, rows = by_columns(result, " ")
    gains = result["gains"]
    shown = [
        (*row, *(f"{gains[row[0]][key]:+.1f}" if row[0] in gains else "" for key in GAINS))
        for row in rows
    ]
    names = (task.replace("-", " to ") for task in tasks)
    return ("method", *names, "mean gain", "least gain"), shown


def search_regret(result):
    found = result["summary"]
    rows = [
        (name, *(f"{part['mean_regret'][name]:.1f}" for part in found.values()))
        for name in next(iter(found.values()))["mean_regret"]
    ]
    seen = (f"{part['of_seen']['mean_regret']:.1f}" for part in found.values())
    rows.append(("ensemble, on the images adapted to", *seen))
    for key, words in (("mean", "in the mean"), ("least", "at least")):
        above = (f"{part[f'{key}_above_source_only']:+.1f}" for part in found.values())
        rows.append((f"ensemble, above source-only, {words}", *above))
    return ("points lost against the best, chosen by", *found), rows


def label_shift(result):
    """A row a task and method: the target as it is, and with other shares of its classes."""
    cells = {tuple(key.split()): found for key, found in result["summary"].items()}
    rows = []
    for task in dict.fromkeys(task for task, _, _ in cells):
        for method in ("source-only", "dann", "dann+shift"):
            both = (cells.get((task, method, kind)) for kind in ("as-they-are", "shifted"))
            shown = (spread(one["mean"], one["sd"]) if one else "" for one in both)
            rows.append((task.replace("-", " to "), method, *shown))
    return ("task", "method", "classes as they are", "every other class at a ninth"), rows


def shots(result):
    methods, rows = by_columns(result, " ")
    return ("shots a class", *methods), rows


def office_caltech(result):
    names = list(result["mean"])
    rows = [
        (task, *(f"{found[name]['mean']:.1f} ± {found[name]['sd']:.1f}" for name in names))
        for task, found in result["tasks"].items()
        if set(names) <= set(found)
    ]
    rows.append(("mean", *(f"{result['mean'][name]:.1f}" for name in names)))
    return ("task", *names), rows


def adapt_peer(result):
    header = ("method", "keras_dtl", "ADAPT 0.4.5", "time of a step, keras_dtl : ADAPT")
    rows = []
    for method in ("dann", "dann-0.1", "deep-coral", "adda"):
        both = [result["summary"].get(f"{library} {method}") for library in ("keras_dtl", "adapt")]
        if all(both):
            accuracies = [
                f"{one['accuracy_mean']:.1f} ± {one['accuracy_sd'] or 0:.1f}" for one in both
            ]
            ratio = result["summary"][f"step time ratio {method}"]
            rows.append((method, *accuracies, f"{ratio:.2f}"))
    return header, rows
