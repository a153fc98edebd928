"""Schedules: functions from the progress of the whole training, 0 to 1, to a value."""

import math


def reversal_ramp(gamma=10.0, final=1.0):
    """Rise from 0 to `final` along a logistic curve: `final * (2 / (1 + exp(-gamma p)) - 1)`.

    The strength of gradient reversal in Ganin et al. (2016), section 5.2.2, lets the
    discriminator learn something before the encoder answers to it.

    Args:
        gamma: How fast it rises, above 0; at 10 it has reached 0.99 of `final` halfway.
        final: Number of 0 or more.

    Returns:
        Function from the progress, 0 to 1, to a number in 0..`final`.
    """
    return lambda progress: final * (2 / (1 + math.exp(-gamma * progress)) - 1)


def half_cosine_rise(final=1.0, until=0.5):
    """Rise from 0 to `final` along half a cosine until progress `until`, then stay.

    The weight of the target's loss in AdaMatch (Berthelot et al. 2022), which rises over the
    first half of the training.
    """
    return lambda progress: final * 0.5 * (1 - math.cos(math.pi * min(1.0, progress / until)))


def inverse_decay(initial=0.01, alpha=10.0, beta=0.75):
    """Fall as `initial / (1 + alpha p) ** beta`, the learning rate of Ganin et al. (2016).

    Args:
        initial: Value at the start, above 0.
        alpha, beta: How far it falls, of 0 or more.

    Returns:
        Function from the progress, 0 to 1, to a number.
    """
    return lambda progress: initial / (1 + alpha * progress) ** beta


def linear_decay(initial, start=0.5):
    """Hold `initial` until progress `start`, then fall in a straight line to 0 at the end.

    Args:
        initial: Value at the start, above 0.
        start: Progress from 0 to below 1.

    Returns:
        Function from the progress, 0 to 1, to a number.
    """
    return lambda progress: initial * min(1.0, (1 - progress) / (1 - start))


def cosine_decay(initial):
    """Fall from `initial` to 0 along half a cosine, as Loshchilov & Hutter (2017) do.

    Args:
        initial: Value at the start, above 0.

    Returns:
        Function from the progress, 0 to 1, to a number.
    """
    return lambda progress: initial * 0.5 * (1 + math.cos(math.pi * progress))


def constant(value):
    """Stay at one value.

    Args:
        value: Any number.

    Returns:
        Function from the progress, 0 to 1, to that number.
    """
    return lambda progress: value


def warm_up(schedule, share=0.05):
    """Rise in a straight line to what `schedule` gives, over the first `share` of the training.

    The first steps see random features and gradients many times larger than later ones; at the
    full rate they may throw a network to where nothing is learnt any more (Goyal et al. 2017).

    Args:
        schedule: Function from progress in 0..1 to a value.
        share: Part of the training, in 0..1, that the rise takes; 0: none.

    Returns:
        Function from progress in 0..1 to a value, which starts at a hundredth of the first.
    """
    return lambda progress: schedule(progress) * (0.01 + 0.99 * _rise(progress, share))


def _rise(progress, share):
    return 1.0 if progress >= share else progress / share
