# SPDX-License-Identifier: Apache-2.0
"""The digits network through its Python module: python.py DRIVER FRAMES.npy RESULTS.npy, RESULTS as `aihls run` wrote them."""
import sys

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import digits  # noqa: E402

frames, want = np.load(sys.argv[2]), np.load(sys.argv[3])


def raises(kind, text, f, *arguments):
    try:
        f(*arguments)
    except kind as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError("no " + kind.__name__)


with digits.open("reference") as net:
    x = frames[:1]
    assert (net.name, net.backend, net.inputs[0].shape, net.inputs[0].dtype, net.outputs[0].shape) == ("digits", "reference", (1, 1, 8, 8), np.float32, (1, 10))
    assert net.labels[3] == "drei" and len(net.labels) == 10
    assert net.clock_hz > 0 and net.latency_cycles > net.frame_cycles > 0 and len(net.model_sha256) == 64
    got = np.concatenate([net.run(f[None]) for f in frames])
    assert got.dtype == want.dtype and np.array_equal(got, want)
    assert np.array_equal(net.run(x[:, :, ::-1][:, :, ::-1]), want[:1])  # not contiguous
    raises(ValueError, "takes shape (1, 1, 8, 8), not (8, 8)", net.run, x[0, 0])
    raises(TypeError, "takes float32, not float64", net.run, x.astype(np.float64))
    raises(ValueError, "2 arrays, the network has 1 inputs", net.run, x, x)
    raises(digits.Error, "(E_TICKET)", net.wait, 12345)
    assert net.poll() is None
    s = net.statistics()
    assert s.submitted == s.done == len(frames) + 1 and s.lost == 0 and s.bytes_in == 64 * s.done
    net.close()
    net.close()
    raises(digits.Error, "(E_NULL)", net.run, x)

with digits.open("simulation", queue_frames=2) as net:
    tickets = [net.submit(f[None]) for f in frames[:2]]
    raises(digits.Error, "(E_FULL)", net.submit, frames[:1])
    assert np.array_equal(net.wait(tickets[1]), want[1:2])
    assert net.poll() == tickets[0] and np.array_equal(net.wait(tickets[0], timeout=10), want[:1])
    assert net.last_frame[0] > 0

raises(digits.Error, "(E_BACKEND)", digits.open, "fpga")
with digits.open() as net:  # no such device here: the next back end
    assert net.backend == "simulation"
print("python: passed")
