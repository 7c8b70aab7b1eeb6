# SPDX-License-Identifier: Apache-2.0
"""Times `aihls run` beside ONNX Runtime on the same machine, the same frames and the same threads.

    speed.py AIHLS DIRECTORY [NETWORK...] >docs/speed.md

DIRECTORY holds NETWORK.onnx (tests/pytorch_networks.py). Every frame is one image, in ONNX Runtime one run of its CPU provider.
The time of a frame is what FRAMES frames more take, so that reading the model, and quantizing it, count for neither side; both
sides take turns ROUNDS times, and the median of the rounds' ratios stands in the table. Processor time, not the clock:
other programs of the machine matter less. Exit code 1 when a ratio is above its limit. Needs numpy and onnxruntime.
"""
import os
import resource
import statistics
import subprocess
import sys

import numpy as np
import onnxruntime

FRAMES = 16
ROUNDS = 5
THREADS = 2
LIMITS = {"float": 2, "integer": 4}  # times ONNX Runtime
DEFAULT = ["resnet50", "mobilenet_v2"]
PAGE = """<!-- SPDX-License-Identifier: Apache-2.0 -->
# The references beside ONNX Runtime

`make speed` measures this table: what a frame costs in `aihls run --float` (the float reference), in `aihls run` (the integer
reference, which the Verilog equals) and in ONNX Runtime %s, CPU provider, float32. It is what calibrating and measuring
accuracy cost. Processor time of a frame, %d threads, batch 1; the ratio is the median of %d rounds in which the three take turns. At
most %g times ONNX Runtime is asked of the float reference, %g times of the integer reference. The networks are torchvision's.
"""


def seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def aihls_frame(command, few, many, directory):
    """Processor seconds that a frame takes."""
    took = []
    for frames in (few, many):
        before = seconds(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, "--input", frames, "--output", os.path.join(directory, "speed_y.npy"), "-q"],
                       check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": str(THREADS)})
        took.append(seconds(resource.RUSAGE_CHILDREN) - before)
    return (took[1] - took[0]) / FRAMES


def session_frame(session, name, x):
    before = seconds(resource.RUSAGE_SELF)
    for i in range(FRAMES):
        session.run(None, {name: x[i:i + 1]})
    return (seconds(resource.RUSAGE_SELF) - before) / FRAMES


def measure(aihls, directory, network):
    """The row of a network, and whether it is within the limits."""
    model, few, many = (os.path.join(directory, f) for f in (network + ".onnx", "speed_few.npy", "speed_many.npy"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    x = np.random.default_rng(1).standard_normal([FRAMES + THREADS, *port.shape[1:]]).astype(np.float32)
    np.save(many, x)
    np.save(few, x[:THREADS])
    session_frame(session, port.name, x)  # memory is taken, threads are awake
    commands = {"float": [aihls, "run", model, "--float"], "integer": [aihls, "run", model]}
    times, ratios = {k: [] for k in ("ort", *commands)}, {k: [] for k in commands}
    for _ in range(ROUNDS):
        times["ort"].append(session_frame(session, port.name, x))
        for kind, command in commands.items():
            times[kind].append(aihls_frame(command, few, many, directory))
            ratios[kind].append(times[kind][-1] / times["ort"][-1])
    ms = {k: "%.1f ms" % (1e3 * statistics.median(v)) for k, v in times.items()}
    ratio = {k: statistics.median(v) for k, v in ratios.items()}
    row = "| %s | %s | %s | %.2f | %s | %.2f |" % (network, ms["ort"], ms["float"], ratio["float"], ms["integer"], ratio["integer"])
    print(row, file=sys.stderr)
    return row, all(ratio[k] <= LIMITS[k] for k in LIMITS)


def main(aihls, directory, networks):
    rows = [measure(aihls, directory, n) for n in networks]
    print(PAGE % (onnxruntime.__version__, THREADS, ROUNDS, LIMITS["float"], LIMITS["integer"]))
    print("| network | ONNX Runtime | float | times ONNX Runtime | integer | times ONNX Runtime |\n|---|---:|---:|---:|---:|---:|")
    print("\n".join(row for row, _ in rows))
    return not all(ok for _, ok in rows)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:] or DEFAULT))
