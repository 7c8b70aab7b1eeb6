#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes resnet20.onnx beside itself: the CIFAR ResNet-20 with random weights.

He et al., "Deep Residual Learning for Image Recognition", section 4.2, with projection
shortcuts (their option B): what a compiler sees of the network, without its training.
The weights are He-initialised from a fixed seed, as if BatchNorm had been folded, and the
second convolution of each block is scaled down so that the values, which nothing
normalises, stay of the same order from the first layer to the last.

    input  "x"       [1,3,32,32] float32, of about unit variance
    output "logits"  [1,10]

Needs Debian's python3-onnx and python3-numpy. The same versions give the same bytes.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 20
STAGES = [(16, 32), (32, 16), (64, 8)]  # channels, rows and columns
BLOCKS = 3
MACS = 40_813_184
# The two summands of a block: the branch adds a quarter of the variance that the skip has.
BRANCH_GAIN = 0.5


class Net:
    """Nodes and initializers, and the multiplications that they stand for."""

    def __init__(self):
        self.rng = np.random.RandomState(SEED)
        self.nodes, self.weights, self.macs = [], {}, 0

    def weight(self, name, shape, deviation):
        self.weights[name] = (deviation * self.rng.standard_normal(shape)).astype(np.float32)
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x, name, c_in, c_out, kernel, stride, rows, gain):
        fan_in = c_in * kernel * kernel
        self.macs += c_out * fan_in * rows * rows
        return self.node(
            "Conv",
            [x, self.weight(name + ".weight", (c_out, c_in, kernel, kernel), gain / np.sqrt(fan_in)),
             self.weight(name + ".bias", (c_out,), 0.1)],
            name, kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[kernel // 2] * 4)

    def block(self, x, name, c_in, c_out, rows):
        stride = 1 if c_in == c_out else 2
        # sqrt(2): half of what a ReLU sees is lost
        y = self.conv(x, name + ".conv1", c_in, c_out, 3, stride, rows, np.sqrt(2))
        y = self.node("Relu", [y], name + ".relu1")
        y = self.conv(y, name + ".conv2", c_out, c_out, 3, 1, rows, BRANCH_GAIN * np.sqrt(2))
        if stride != 1:
            x = self.conv(x, name + ".shortcut", c_in, c_out, 1, stride, rows, 1.0)
        return self.node("Relu", [self.node("Add", [y, x], name + ".add")], name + ".relu2")


def build():
    net = Net()
    channels, rows = STAGES[0]
    x = net.conv("x", "stem", 3, channels, 3, 1, rows, np.sqrt(2))
    x = net.node("Relu", [x], "stem.relu")
    for s, (c_out, rows) in enumerate(STAGES, 1):
        for b in range(1, BLOCKS + 1):
            x = net.block(x, f"stage{s}.block{b}", channels, c_out, rows)
            channels = c_out
    x = net.node("Flatten", [net.node("GlobalAveragePool", [x], "pool")], "flatten", axis=1)
    net.node("Gemm", [x, net.weight("fc.weight", (10, channels), 1 / np.sqrt(channels)),
                      net.weight("fc.bias", (10,), 0.1)], "logits", transB=1)
    net.macs += 10 * channels
    graph = helper.make_graph(
        net.nodes, "resnet20",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(value, name) for name, value in net.weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)],
                              producer_name="resnet20.py")
    model.ir_version = 7
    return model, net.macs


def conv2d(x, w, bias, stride, pad):
    """One image, channels first."""
    c_out, _, kernel, _ = w.shape
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]  # c, rows, columns, kernel, kernel
    return np.tensordot(w, windows, ([1, 2, 3], [0, 3, 4])) + bias.reshape(c_out, 1, 1)


def run(model, x):
    """Evaluates the model; returns its output and the largest deviation of a node's values."""
    v = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    v["x"] = x
    deviations = []
    for n in model.graph.node:
        a = {p.name: helper.get_attribute_value(p) for p in n.attribute}
        i = [v[name] for name in n.input]
        y = {"Conv": lambda: conv2d(i[0], i[1], i[2], a["strides"][0], a["pads"][0]),
             "Relu": lambda: np.maximum(i[0], 0), "Add": lambda: i[0] + i[1],
             "GlobalAveragePool": lambda: i[0].mean((1, 2), keepdims=True),
             "Flatten": lambda: i[0].reshape(1, -1),
             "Gemm": lambda: i[0] @ i[1].T + i[2]}[n.op_type]()
        v[n.output[0]] = y
        deviations.append(float(y.std()))
    return v["logits"], min(deviations), max(deviations)


def main():
    model, macs = build()
    assert macs == MACS, macs
    onnx.checker.check_model(model, full_check=True)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resnet20.onnx")
    onnx.save(model, path)
    image = np.random.RandomState(SEED + 1).standard_normal((3, 32, 32)).astype(np.float32)
    logits, low, high = run(onnx.load(path), image)
    assert np.isfinite(logits).all() and low > 0.05 and high < 20
    print(f"{macs} MACs, {os.path.getsize(path)} bytes; standard deviations of the nodes' "
          f"values from {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
