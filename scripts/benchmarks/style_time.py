"""Style transfer beside PyTorch: time of an evaluation, and the loss after 100 and 300 of them.

    python scripts/benchmarks/style_time.py --content photo.jpg --style painting.jpg --weights FILE

The same VGG19 with average pooling, layers, losses (those of jcjohnson/neural-style, 5 : 100 :
0.001), start (the content), history of L-BFGS (10) and float32 on both sides; PyTorch is eager, as
its published programs are, and by `torch.compile`. Times are those of the processor, on one core
that a process is bound to (`taskset -c 0`): what else runs there disturbs them little. They are
taken in processes of their own, in turn, several rounds, and ratios within each round. Losses are
the lowest within the first evaluations; `--evaluations 0` leaves them out. Each part is written
when it is done and not repeated, so it can be killed at any time. Needs the extra `[peers]`. Writes
results/style_time.json, or the result that `--into` names.
"""

import argparse
import contextlib
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np
from record import MACHINE, in_a_process, read_result, write_result

ROUNDS, WARM_UP, TIMED, HISTORY = 3, 2, 7, 10
EVALUATIONS = (100, 300)
CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CONTENT_WEIGHT, STYLE_WEIGHT, VARIATION_WEIGHT = 5.0, 100.0, 1e-3
TIMED_PEERS = (
    *("keras_dtl", "keras_dtl without XLA", "torch", "torch channels_last"),
    *("torch.compile", "torch.compile channels_last"),
)
LOSS_PEERS = ("keras_dtl", "torch", "torch strong_wolfe")


def scene(arguments, size):
    """Return content and style as float batches of one; both implementations get the same."""
    from keras_dtl.images import read_image
    from keras_dtl.methods.style.scene import Scene

    content = read_image(arguments.content)
    scene = Scene(content, [read_image(arguments.style)], None, None, 1.0, "style")
    return scene.at(scene.size(size))


class Ours:
    """The objective of keras_dtl, called with a float32 array."""

    def __init__(self, arguments, size, jit_compile):
        from keras_dtl.backbones import vgg19_features
        from keras_dtl.methods import StyleTransfer
        from keras_dtl.methods.style.objective import StyleObjective

        self.content, regions = scene(arguments, size)
        model = StyleTransfer(
            vgg19_features(weights=arguments.weights),
            content_weight=CONTENT_WEIGHT,
            style_weight=STYLE_WEIGHT,
            variation_weight=VARIATION_WEIGHT,
            loss_scale="johnson",
        )
        shape = self.content.shape[1:3]
        self.objective = StyleObjective(model, self.content, regions, shape, jit_compile)

    def evaluate(self):
        return self.objective(self.content).loss

    def losses(self, count):
        """Return the loss of each of the first `count` evaluations."""
        from keras_dtl.methods.style.pixel_optimizers import LBFGS

        found = []

        def objective(image):
            if len(found) == count:
                raise StopIteration
            found.append(self.objective(image))
            return found[-1]

        with contextlib.suppress(StopIteration):
            LBFGS(HISTORY).minimize(objective, self.content, count, lambda *step: None)
        return [evaluation.loss for evaluation in found]


class Torch:
    """The same sums in PyTorch, eager as published programs write them, or compiled."""

    def __init__(self, arguments, size, channels_last=False, line_search=None, compiled=False):
        import torch

        self.torch, self.line_search = torch, line_search
        self.loss = torch.compile(self.total_loss) if compiled else self.total_loss
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        content, regions = scene(arguments, size)
        style = regions[0].styles[0][1]
        self.layers = self.convolutions(arguments.weights)
        with torch.no_grad():
            self.content_target = self.features(self.tensor(content))[CONTENT_LAYER]
            maps = self.features(self.tensor(style))
            self.style_targets = {name: self.gram(maps[name]) for name in STYLE_LAYERS}
        self.image = self.tensor(content).requires_grad_()

    def tensor(self, image):
        turned = self.torch.from_numpy(image.transpose(0, 3, 1, 2).copy())
        return turned.contiguous(memory_format=self.format)

    def convolutions(self, path):
        from keras_dtl.backbones import vgg19_features

        network, found = vgg19_features(weights=path), {}
        for layer in network.layers:
            if layer.name.startswith("conv"):
                kernel, bias = layer.get_weights()
                found[layer.name] = [
                    self.tensor(kernel.transpose(3, 0, 1, 2)),
                    self.torch.from_numpy(bias),
                ]
        return found

    def features(self, image):
        functional = self.torch.nn.functional
        mean = self.torch.tensor([123.68, 116.779, 103.939]).reshape(1, 3, 1, 1)
        x, found = image - mean, {}
        for name, (kernel, bias) in self.layers.items():
            if name.endswith("_1") and name != "conv1_1":
                x = functional.avg_pool2d(x, 2)
            x = functional.relu(functional.conv2d(x, kernel, bias, padding=1))
            if name in STYLE_LAYERS or name == CONTENT_LAYER:
                found[name] = x
        return found

    def gram(self, maps):
        _, channels, height, width = maps.shape
        flat = maps.reshape(channels, height * width)
        return flat @ flat.T / (channels * height * width)

    def total_loss(self):
        mse = self.torch.nn.functional.mse_loss
        maps = self.features(self.image)
        content = mse(maps[CONTENT_LAYER], self.content_target)
        style = sum(mse(self.gram(maps[n]), self.style_targets[n]) for n in STYLE_LAYERS)
        down = self.image[:, :, 1:] - self.image[:, :, :-1]
        right = self.image[:, :, :, 1:] - self.image[:, :, :, :-1]
        variation = 0.5 * ((down**2).sum() + (right**2).sum())
        return CONTENT_WEIGHT * content + STYLE_WEIGHT * style + VARIATION_WEIGHT * variation

    def evaluate(self):
        self.image.grad = None
        loss = self.loss()
        loss.backward()
        return loss.item()

    def losses(self, count):
        """Return the loss of each of the first `count` evaluations."""
        found = []
        optimizer = self.torch.optim.LBFGS(
            [self.image],
            max_iter=count,
            max_eval=count,
            history_size=HISTORY,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn=self.line_search,
        )

        def closure():
            found.append(self.evaluate())
            return found[-1]

        optimizer.step(closure)
        return found[:count]


BUILD = {
    "keras_dtl": lambda *words: Ours(*words, jit_compile="auto"),
    "keras_dtl without XLA": lambda *words: Ours(*words, jit_compile=False),
    "torch": Torch,
    "torch channels_last": lambda *words: Torch(*words, channels_last=True),
    "torch.compile": lambda *words: Torch(*words, compiled=True),
    "torch.compile channels_last": lambda *words: Torch(*words, channels_last=True, compiled=True),
    "torch strong_wolfe": lambda *words: Torch(*words, line_search="strong_wolfe"),
}


def evaluation_times(peer):
    """Return the median seconds of an evaluation, by two clocks, and the loss at the start."""
    clocks = {"seconds": time.process_time, "wall_seconds": time.perf_counter}
    taken = {name: [] for name in clocks}
    for _ in range(WARM_UP + TIMED):
        starts = {name: clock() for name, clock in clocks.items()}
        loss = peer.evaluate()
        for name, clock in clocks.items():
            taken[name].append(clock() - starts[name])
    medians = {name: statistics.median(found[WARM_UP:]) for name, found in taken.items()}
    return {**medians, "loss": loss}


def lowest_losses(peer, count):
    start = time.perf_counter()
    losses = peer.losses(count)
    lowest = np.minimum.accumulate(losses).tolist()
    reached = {str(n): lowest[n - 1] for n in EVALUATIONS if n <= len(lowest)}
    seconds = (time.perf_counter() - start) / len(losses)
    return {"lowest_loss": reached, "evaluations": len(losses), "seconds_each": seconds}


def measure_apart(arguments, what, size, name, count=0):
    """Return what one part measured in a fresh process."""
    words = ["--part", what, size, name, count]
    for path in ("content", "style", "weights"):
        words += [f"--{path}", getattr(arguments, path)]
    return in_a_process(__file__, *words)


def print_part(arguments):
    """Print what one part of the benchmark measures, as JSON."""
    what, size, name, count = arguments.part
    peer = BUILD[name](arguments, int(size))
    is_time = what == "time"
    print(json.dumps(evaluation_times(peer) if is_time else lowest_losses(peer, int(count))))


def measure(arguments, result, before):
    """Do the parts that are not done yet, writing each."""
    for size in arguments.sizes:
        rounds = result["rounds"].setdefault(str(size), [])
        while len(rounds) < ROUNDS:
            order = TIMED_PEERS if len(rounds) % 2 else TIMED_PEERS[::-1]
            rounds.append({name: measure_apart(arguments, "time", size, name) for name in order})
            save(arguments.into, result, before)
        for name in LOSS_PEERS:
            done = result["minimized"].setdefault(str(size), {})
            if done.get(name, {}).get("evaluations", 0) < arguments.evaluations:
                done[name] = measure_apart(arguments, "loss", size, name, arguments.evaluations)
                save(arguments.into, result, before)


def save(name, result, before):
    """Write what is measured, with the ratios of our times to the peers'."""
    whole = {**result, "ratios": ratios_of(result["rounds"])}
    write_result(name, whole, show=(), before=before)


def ratios_of(rounds):
    """Return `{size: {"ours / peer": median over rounds}}` of the time of an evaluation."""
    return {
        size: {
            f"{ours} / {peer}": statistics.median(
                one[ours]["seconds"] / one[peer]["seconds"] for one in found
            )
            for ours in TIMED_PEERS[:2]
            for peer in TIMED_PEERS[2:]
            if all(peer in one for one in found)  # older rounds know fewer
        }
        for size, found in rounds.items()
        if found
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for path in ("content", "style", "weights"):
        parser.add_argument(f"--{path}", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--evaluations", type=int, default=300, help="how many to minimise with")
    parser.add_argument("--into", default="style_time", help="name of the result")
    parser.add_argument("--part", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print_part(arguments)
        return
    result = {
        "what": "seconds of an evaluation (VGG19 to conv5_1, losses, gradient) and lowest losses",
        "settings": {
            "cores": len(os.sched_getaffinity(0)),
            "weights": [CONTENT_WEIGHT, STYLE_WEIGHT, VARIATION_WEIGHT],
            "loss_scale": "johnson",
            "history": HISTORY,
            "init": "content",
            "images": [arguments.content.name, arguments.style.name],
        },
    }
    before = read_result(arguments.into, settings=result["settings"])
    # Times of another machine are no rounds of this one. Older files say less about theirs.
    if any(MACHINE[key] != value for key, value in before.get("machine", {}).items()):
        before = {}
    result |= {part: before.get(part, {}) for part in ("rounds", "minimized")}
    measure(arguments, result, before)
    shown = {"ratios": ratios_of(result["rounds"]), "minimized": result["minimized"]}
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()
