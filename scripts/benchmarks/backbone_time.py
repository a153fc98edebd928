"""Time of one DANN step through MobileNetV2, end to end, beside PyTorch's.

    python scripts/benchmarks/backbone_time.py

32 + 32 images of 128x128x3, MobileNetV2 with random weights and all its layers learning, batch
normalisation over the joint batch, SGD with momentum, float32. Ours is the whole of `fit`, with
pipeline, schedules and metrics; PyTorch's is a plain loop on tensors in memory around torchvision's
network: eager, with channels last, and compiled in either layout. Ours "plain" has the batch
normalisation of Keras in place of the fused one. XLA is left out: it compiles for minutes. Each
runs in a process of its own, in turn; the ratio is taken within each round, to the fastest of
PyTorch. Needs torch and torchvision, a quarter of an hour on two cores. Writes
results/backbone_time.json.
"""

import statistics

from clock import StepClock, call_seconds, rounds_in_turn
from record import write_result

ROUNDS, WARM_UP, STEPS, BATCH, SIDE, CLASSES = 3, 4, 12, 32, 128, 7


def images(seed):
    import numpy as np

    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (256, SIDE, SIDE, 3)).astype("uint8")
    return pixels, random.integers(0, CLASSES, 256).astype("int32")


def keras_dtl_step(fused=True):
    """Time `fit`, with our batch normalisation, or with Keras' own passes."""
    import contextlib

    import keras

    from keras_dtl.backbones import mlp
    from keras_dtl.callbacks import ProgressSchedule, inverse_decay, reversal_ramp
    from keras_dtl.data import LabelledImages, domain_batches
    from keras_dtl.methods import DANN, base

    if not fused:
        base.fused_batch_norm = lambda *networks: contextlib.nullcontext()
    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    network = keras.applications.MobileNetV2(
        (SIDE, SIDE, 3), include_top=False, weights=None, pooling="avg"
    )
    encoder = keras.Model(image, network(x))
    model = DANN(encoder, mlp((1280,), (), CLASSES), mlp((1280,), (1024, 1024), 1))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.001, momentum=0.9)
    model.compile(optimizer, loss, metrics=["accuracy"])
    schedule = ProgressSchedule(
        {"reversal_strength": reversal_ramp(), "optimizer.learning_rate": inverse_decay(0.001)}
    )
    domains = [LabelledImages(*images(seed), tuple("abcdefg")) for seed in (0, 1)]
    clock = StepClock(WARM_UP)
    model.fit(
        domain_batches(*domains, BATCH),
        steps_per_epoch=WARM_UP + STEPS + 1,
        callbacks=[schedule, clock.callback],
        verbose=0,
    )
    return clock.seconds()


def torch_step(channels_last=False, compiled=False):
    import torch
    from torch import nn
    from torchvision.models import mobilenet_v2

    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x.view_as(x)

        @staticmethod
        def backward(context, upstream):
            return -upstream

    layout = torch.channels_last if channels_last else torch.contiguous_format
    encoder = mobilenet_v2()
    encoder.classifier = nn.Identity()  # what is left ends in the mean over places
    encoder.to(memory_format=layout)
    classifier = nn.Linear(1280, CLASSES)
    hidden = (nn.Linear(1280, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU())
    discriminator = nn.Sequential(*hidden, nn.Linear(1024, 1))
    parameters = [p for net in (encoder, classifier, discriminator) for p in net.parameters()]
    optimizer = torch.optim.SGD(parameters, 0.001, momentum=0.9)
    label_loss, domain_loss = nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss()
    domains = torch.cat([torch.zeros(BATCH, 1), torch.ones(BATCH, 1)])
    (source, labels), (target, _) = images(0), images(1)
    source, target = (torch.from_numpy(x).permute(0, 3, 1, 2) for x in (source, target))
    labels = torch.from_numpy(labels).long()

    def losses(x, y):
        features = encoder(x.float() / 127.5 - 1)
        loss = label_loss(classifier(features[:BATCH]), y)
        return loss + domain_loss(discriminator(Reverse.apply(features)), domains)

    losses = torch.compile(losses) if compiled else losses

    def step():
        of_source, of_target = (torch.randint(len(x), (BATCH,)) for x in (source, target))
        x = torch.cat([source[of_source], target[of_target]]).contiguous(memory_format=layout)
        loss = losses(x, labels[of_source])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return call_seconds(step, WARM_UP, STEPS)


RUN = {
    "keras_dtl": keras_dtl_step,
    "keras_dtl plain": lambda: keras_dtl_step(fused=False),
    "torch": torch_step,
    "torch channels_last": lambda: torch_step(channels_last=True),
    "torch.compile": lambda: torch_step(compiled=True),
    "torch.compile channels_last": lambda: torch_step(channels_last=True, compiled=True),
}


def main():
    rounds = rounds_in_turn(__doc__.splitlines()[0], RUN, ROUNDS)

    def best(one, package):
        return min(value for name, value in one.items() if name.startswith(package))

    result = {
        "what": "median milliseconds of a DANN step, MobileNetV2, 32+32 images of 128x128x3",
        "milliseconds": {name: statistics.median(one[name] for one in rounds) for name in RUN},
        "ratio_to_best_torch": statistics.median(
            one["keras_dtl"] / best(one, "torch") for one in rounds
        ),
        "ratio_to_plain": statistics.median(
            one["keras_dtl"] / one["keras_dtl plain"] for one in rounds
        ),
        "rounds": rounds,
    }
    write_result("backbone_time", result, [key for key in result if key != "rounds"])


if __name__ == "__main__":
    main()
