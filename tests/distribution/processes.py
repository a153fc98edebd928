"""Workers on the loopback address, each a process."""

import json
import os
import socket
import subprocess
import sys


def free_addresses(count=2):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for opened in sockets:
        opened.close()
    return addresses


def start_workers(*words, count=2, chosen=None):
    """Start `python -m WORDS` once for each worker; `chosen` starts these alone."""
    addresses = free_addresses(count)
    processes = []
    for index in chosen or range(count):
        task = {"type": "worker", "index": index}
        cluster = json.dumps({"cluster": {"worker": addresses}, "task": task})
        environment = {**os.environ, "TF_CONFIG": cluster, "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
        command = [sys.executable, "-m", *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, env=environment, **pipes))
    return processes


def ends_of(processes, seconds=900):
    """Return `[(status, standard output, standard error)]` of processes that end by themselves."""
    try:
        answers = [process.communicate(timeout=seconds) for process in processes]
        return [(p.returncode, *answer) for p, answer in zip(processes, answers, strict=True)]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
