"""A recipe on several replicas and workers: what differs, and what must be alike for all."""

import shutil

from keras_dtl.files import atomic_path


def without_replicas(recipe, data, checkpoint, model=None):
    """Return a model of one replica in the state of the last checkpoint.

    Args:
        recipe, data, checkpoint: As of `fit`.
        model: One that is at hand; by default it is built.
    """
    model = recipe.build_model(data) if model is None else model
    checkpoint.restore(model)
    return model


def difference(checkpoint, strategy):
    """Return in words what another number of replicas changes, or nothing."""
    before, now = checkpoint.replicas, strategy.num_replicas_in_sync
    if before is None or before == now:  # a finished run that gets more epochs has no checkpoint
        return ""
    return (
        f" It was begun with {before} replica(s) and goes on with {now}: the order of the data is "
        "the same, but sums are rounded otherwise, batch normalisation sees other parts of a "
        "batch, dropout hides other units, and pools of images are those of the first replica."
    )


def receive(path, make, strategy=None):
    """Make a file on the chief's disk, unless it is there, and copy it to that of every worker.

    Args:
        path: The file.
        make: Function that makes it, which all workers call together.
        strategy: Of the training.
    """
    from keras_dtl.distribution import file_of_chief, value_of_chief

    strategy = strategy or single_device()
    if not value_of_chief(path.exists(), strategy):
        make()
    with file_of_chief(path, strategy) as content:
        if not path.exists():
            with atomic_path(path) as temporary:
                shutil.copyfile(content, temporary)


def single_device():
    """Return the strategy of one device."""
    import tensorflow as tf

    return tf.distribute.get_strategy()
