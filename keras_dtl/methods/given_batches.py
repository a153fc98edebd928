"""Whether `fit` is given the batches that a method with losses of its own learns from."""

import tensorflow as tf

from keras_dtl.methods.given_labels import require_class_numbers


def as_batch(data):
    """Return a batch out of the tuple in which Keras hands over what is no data set.

    Args:
        data: A batch, or a tuple of its parts and of `None` for labels and weights that are none.
    """
    parts = list(data) if isinstance(data, (tuple, list)) else [data]
    while parts and parts[-1] is None:
        parts.pop()
    return parts[0] if len(parts) == 1 else tuple(parts)


def require_pairs(model, x, y=None) -> None:
    """Refuse data that are no pairs of batches of images, and say what is wanted.

    Args:
        model: The method, for its name.
        x, y: As `fit` received them.

    Raises:
        ValueError: For one batch of images, weights, or a dictionary.
    """
    given = _structure(x, y)
    joined = y is None and isinstance(x, (tuple, list))  # which Keras takes for one input
    ranks = [len(getattr(part, "shape", ())) for part in given] if _is_pair(given) else []
    if given is None:
        return
    if ranks == [4, 4] and not joined:
        _require_shapes(model.a_to_b(), given)
        if y is not None and len(x) != len(y):
            raise ValueError(
                f"{type(model).__name__}.fit() takes as many images of A as of B. Received: "
                f"{len(x)} and {len(y)}. keras_dtl.data.unpaired_batches(a, b, 1) makes batches of "
                "two sets of any lengths, which repeat each by itself: give steps_per_epoch, too."
            )
        return
    raise ValueError(
        f"{type(model).__name__}.fit() takes images of A and of B: fit(a, b), or a data set of "
        "pairs (a, b), each (batch, height, width, channels) in 0..255. Received: "
        f"{_in_words(given)}."
    )


def _require_shapes(generator, given):
    wanted = (generator.input_shape, generator.output_shape)
    for name, part, shape in zip("AB", given, wanted, strict=True):
        if not tf.TensorShape(part.shape[1:]).is_compatible_with(shape[1:]):
            raise ValueError(
                f"Images of {name} must have the shape {shape[1:]} of the generator. Received: "
                f"{tuple(part.shape[1:])}. Resize them, or build the networks for their size."
            )


def require_parts(model, x, y=None) -> None:
    """Refuse batches that lack what a method of content and style learns from.

    Args:
        model: The method, whose `needs` names it, and whose `label_classes` counts them.
        x, y: As `fit` received them.

    Raises:
        ValueError: For arrays, labels apart, a dictionary without one of the names, or labels that
            are no numbers of classes.
    """
    given = _structure(x, y)
    if given is None:
        return
    if isinstance(given, dict) and set(model.needs) <= set(given):
        for name in (name for name in model.needs if name.endswith("label")):
            require_class_numbers(given[name], name, model.label_classes)
        return
    names = ", ".join(f'"{name}": ...' for name in model.needs)
    raise ValueError(
        f"{type(model).__name__}.fit() takes batches that are dictionaries {{{names}}}. Received: "
        f"{_in_words(given)}. keras_dtl.data.view_batches(examples, 64) makes them of labelled "
        "images."
    )


def require_photos(model, x, y=None) -> None:
    """Refuse data that are more than photos, and say what is wanted.

    Args:
        model: The method, for its name.
        x, y: As `fit` received them.

    Raises:
        ValueError: For labels beside them, pairs or a dictionary.
    """
    given = _structure(x, y)
    if isinstance(given, (tuple, list, dict)):
        raise ValueError(
            f"{type(model).__name__}.fit() takes photos alone, uint8 (batch, height, width, 3): "
            f"an array, or a data set of them. Received: {_in_words(given)}."
        )


def require_labels(model, x, y=None) -> None:
    """Refuse motion without the labels that a method is told, and labels that it is not.

    Args:
        model: The method, whose `num_classes` says whether there are any.
        x, y: As `fit` received them.

    Raises:
        ValueError: Saying what is wanted.
    """
    given = _structure(x, y)
    parts = len(given) if isinstance(given, (tuple, list)) else 1
    if given is not None and parts != 1 + bool(model.num_classes):
        wanted = "motion and labels" if model.num_classes else "motion alone"
        raise ValueError(
            f"With num_classes={model.num_classes} fit() takes {wanted}. Received: "
            f"{_in_words(given)}."
        )
    if given is not None and model.num_classes:
        require_class_numbers(given[1], "labels", model.num_classes)


def require_styles(model, x, y=None) -> None:
    """Refuse data that are no motion with the numbers of its style and of its action.

    Args:
        model: The method, whose `critic` knows how many styles and actions there are.
        x, y: As `fit` received them.

    Raises:
        ValueError: Saying what is wanted.
    """
    given = _structure(x, y)
    if given is None:
        return
    parts = () if isinstance(given, dict) else tf.nest.flatten(given)
    if len(parts) != 3:
        raise ValueError(
            f"{type(model).__name__}.fit() takes motion (batch, time, features) and two labels of "
            f"each: fit(motion, (style, action)), or batches (motion, style, action). Received: "
            f"{_in_words(given)}."
        )
    for name, labels in zip(("style", "action"), parts[1:], strict=True):
        require_class_numbers(labels, name, model.critic.output[name].shape[-1])


def _structure(x, y):
    """Return the parts of a batch, or of the arrays given; None where they are not known yet."""
    if isinstance(x, tf.data.Dataset):
        return x.element_spec
    is_known = hasattr(x, "shape") or isinstance(x, (dict, tuple, list))
    return (x if y is None else (x, y)) if is_known else None


def _is_pair(given):
    return isinstance(given, (tuple, list)) and len(given) == 2


def _in_words(given):
    if isinstance(given, dict):
        return f"a dictionary of {', '.join(map(str, given))}"
    if isinstance(given, (tuple, list)):
        return f"{len(given)} parts ({', '.join(map(_in_words, given))})"
    shape = getattr(given, "shape", None)
    return type(given).__name__ if shape is None else f"an array of shape {tuple(shape)}"
