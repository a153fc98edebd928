"""What the domains of a training must be, refused in words where they are not."""

from typing import Any


def check_examples(source: Any, **others: Any) -> None:
    """Refuse what is no data set, such as arrays, and a source that is missing.

    Args:
        source: Must be a data set.
        **others: Data sets or None.
    """
    for name, examples in {"source": source, **others}.items():
        if hasattr(examples, "without_labels") or (examples is None and name != "source"):
            continue
        shape = getattr(examples, "shape", None)
        received = type(examples).__name__ if shape is None else f"an array of shape {tuple(shape)}"
        raise ValueError(
            f"`{name}` must be a data set such as keras_dtl.load returns. Received: {received}. Of "
            "arrays keras_dtl.data.LabelledImages(images, labels, classes) makes one."
        )


def check_labelled(**domains: Any) -> None:
    """Refuse data sets without labels.

    Args:
        **domains: Data sets; those that are None are passed over.
    """
    for name, examples in domains.items():
        if examples is not None and examples.labels is None:
            raise ValueError(
                f"The {name} images must be labelled, but carry no labels. "
                "Load them from a data set with classes, such as a folder with one "
                "sub-folder a class."
            )


def check_one_numbering(source: Any, target_labelled: Any) -> None:
    """Refuse labels that number the classes in another way than the source's.

    Args:
        source: Data set with `classes`.
        target_labelled: Data set, or None.
    """
    if target_labelled is None or source.classes == target_labelled.classes:
        return
    raise ValueError(
        "Labels of `target_labelled` must count the classes as those of `source` do. Received: "
        f"{', '.join(target_labelled.classes)}, and {', '.join(source.classes)} of the source. "
        "keras_dtl.data.renumber(target_labelled, source.classes) brings them together by name."
    )


def check_one_shape(domains: dict[str, Any]) -> None:
    """Refuse domains whose images differ in height, width or channels.

    Args:
        domains: Data sets by name; those that are None are passed over.
    """
    shapes = {name: data.image_shape for name, data in domains.items() if data is not None}
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(
            f"The images of all domains must have one (height, width, channels), but have: "
            f"{listed}. Load them with the same image_size (--image-size) and channels."
        )
