"""One worker of several: python -m tests.distribution.worker FOLDER NAME...

Trains what `TRAININGS` names, writes its weights and logs to FOLDER, and asks the chief for a file.
"""

import os
import sys
from pathlib import Path

import numpy as np


def main(folder, *names):
    from keras_dtl.distribution import file_of_chief, find_cluster, finish, start_strategy
    from tests.distribution.trainings import examples, train

    cluster = find_cluster()
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[cluster.index % 2]})
    strategy = start_strategy(cluster=cluster)
    found = {}
    for name in names:
        print(name, flush=True)
        model, logs = train(name, strategy)
        found |= {f"{name}/{index}": w for index, w in enumerate(model.get_weights())}
        found |= {f"{name}/logs/{term}": values for term, values in logs.items()}
        if name == "dann":
            test = examples(5, 11)
            answers = model.evaluate(test.images, test.labels, 4, verbose=0, return_dict=True)
            found["evaluated"] = list(answers.values())
            found["predicted"] = model.predict(test.images, 4, verbose=0)
    own = Path(folder) / f"of-{cluster.index}.txt"
    own.write_text(f"written by {cluster.index}")
    with file_of_chief(own, strategy) as path, file_of_chief(f"{own}.none", strategy) as none:
        found["received"], found["none"] = np.array(path.read_text()), np.array(str(none))
    np.savez(Path(folder) / f"{cluster.index}.npz", **found)
    finish(7 if cluster.index == 0 else 0, strategy)


if __name__ == "__main__":
    main(*sys.argv[1:])
