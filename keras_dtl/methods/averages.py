"""Averages of weights that optimizers keep (`use_ema`), put in their places at the end of `fit`."""

import contextlib
import functools


@contextlib.contextmanager
def own_averages(*optimizers):
    """Let optimizers put averages into what they move, and into nothing else.

    At the end of `fit` Keras gives one optimizer all weights that learn by then, which take the
    averages in their order: those of another player, or above layers that are frozen for now, would
    get what belongs to others. Averages of the other players would never be put anywhere.

    Args:
        *optimizers: Keras optimizers, of which the first is that of `keras.Model.fit`.
    """
    inner = [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in optimizers]
    keeping = [optimizer for optimizer in inner if getattr(optimizer, "use_ema", False)]
    for optimizer in keeping:
        optimizer.finalize_variable_values = functools.partial(_put_in_place, optimizer)
    try:
        yield
        for optimizer in keeping:
            if optimizer is not inner[0]:
                optimizer.finalize_variable_values(None)
    finally:
        for optimizer in keeping:
            del optimizer.finalize_variable_values


def _put_in_place(optimizer, variables):
    """Do as Keras does, with what was built instead of `variables`; nothing before a step."""
    if int(optimizer.iterations):
        kind = type(optimizer)
        kind.finalize_variable_values(optimizer, optimizer._trainable_variables)
