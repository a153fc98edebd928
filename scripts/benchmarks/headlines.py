"""The few numbers, good and bad, that the README shows of all the tables."""


def accuracy(cell):
    """Return `mean ± deviation` of the target's accuracy, in percent."""
    mean, deviation = cell["target_accuracy_mean"], cell["target_accuracy_sd"]
    return f"{mean:.1f} ± {deviation:.1f} %"


def demonstration(read):
    mean = read("demo")["mean"]
    return (
        "`make demo`, digits to digits over photos, 3 seeds",
        f"source-only {mean['source-only']:.1f} %, DANN {mean['dann']:.1f} %",
        "demonstration",
    )


def digits(read):
    found = read("digits")["tasks"]["mnist-mnist_m"]
    return (
        "MNIST to MNIST-M",
        f"source-only {accuracy(found['source-only'])}, ADDA {accuracy(found['adda'])}, "
        f"DAN {accuracy(found['dan'])}; with target labels {accuracy(found['target-only'])}",
        "domain_adaptation",
    )


def photos(read):
    gains = read("pacs_end_to_end")["gains"]
    said = [
        f"{name} {gains[key]['mean']:+.1f} ({gains[key]['worst']:+.1f})"
        for name, key in (("MCC as by default", "mcc+"), ("SHOT", "shot+"), ("DANN", "dann"))
    ]
    return (
        "PACS, six tasks, points over source-only in the mean (on the worst task)",
        ", ".join(said),
        "domain_adaptation",
    )


def shots(read):
    without, found = read("pacs")["summary"], read("shots")["summary"]
    return (
        "PACS, photo to sketch on fixed features, 10 labels of sketches a class",
        f"plain training on both {accuracy(found['S+T 10'])}, DANN {accuracy(found['dann 10'])}; "
        f"without them source-only {accuracy(without['photo-sketch source-only'])}, "
        f"DANN {accuracy(without['photo-sketch dann'])}",
        "domain_adaptation",
    )


def fine_tuning(read):
    cells = read("fine_tuning")["cells"]
    random, full = (cells[f"sketch/5/{way}"]["mean"] for way in ("random", "full"))
    return (
        "MobileNetV2, 5 labels of sketches a class",
        f"random weights {random:.1f} %, pretrained and tuned {full:.1f} %",
        "fine_tuning",
    )


def segmentation(read):
    ways = read("camvid")["ways"]
    plain, adapted, bound = (
        f"{ways[way]['mean_iou_mean']:.1f} ({ways[f'{way}-180']['mean_iou_mean']:.1f})"
        for way in ("source-only", "advent", "target-trained")
    )
    return (
        "CamVid, day to dusk, mean IoU at 90x120 pixels (180x240)",
        f"source-only {plain}, AdvEnt {adapted}, with masks at dusk {bound}",
        "segmentation",
    )


def translation(read):
    methods = read("translation_time")["methods"]
    ratios = {name: found["ratio_to_torch"]["keras_dtl"] for name, found in methods.items()}
    return (
        "time of a training step, eager PyTorch: 1, two CPU cores",
        ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()),
        "translation",
    )


def conversion(read):
    found = read("conversion")["classifier"]
    return (
        "classifying 10,000 small PNGs, tf.data + `predict`: 1",
        f"{found['folder_over_tf_data']:.2f} of its speed, where "
        f"{found['wanted_over_tf_data']:.1f} was wanted",
        "conversion",
    )


HEADLINES = (
    demonstration,
    digits,
    photos,
    shots,
    fine_tuning,
    segmentation,
    translation,
    conversion,
)


def headline_rows(read):
    """Return the header and the rows, each with a link to its page.

    Args:
        read: Function from the name of a result to what its file holds.
    """
    rows = [row(read) for row in HEADLINES]
    linked = [
        (what, numbers, f"[{page.replace('_', ' ')}](docs/results/{page}.md)")
        for what, numbers, page in rows
    ]
    return ("what", "measured", "table"), linked
