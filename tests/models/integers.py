#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes integers.onnx and integers.npz beside itself: a small network whose floats are integers.

The form is that of NEMO's exporter for the PULP platform (opset 9): a convolution with integer
weights, Mul and Add by integers one a channel, Cast, Mul and Div by integers, Cast, Clip to 0..255;
a residual sum is Mul, Mul, Add, Div, Floor. Random weights from a fixed seed, with a channel that
falls, one that is constant, and factors of a sum that differ. The vectors hold every layer, channels
last, computed with Python's integers, which neither round nor overflow.

    input   "x"  [1,1,16,16] float32, integers 0..255
    outputs "steer" [1], "collision" [1]

Needs Debian's python3-onnx and python3-numpy. The same versions give the same bytes.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.RandomState(5)
nodes, constants, layers = [], [], {}


def constant(name, value):
    constants.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def node(op, inputs, output, **attributes):
    nodes.append(helper.make_node(op, inputs, [output], output + "_node", **attributes))
    return output


def convolve(x, w, stride, pad, group):
    """[C,H,W] integers."""
    c, h, wd = x.shape
    out, per_group, kh, kw = w.shape
    padded = np.zeros((c, h + 2 * pad, wd + 2 * pad), np.int64)
    padded[:, pad:pad + h, pad:pad + wd] = x
    oh, ow = (h + 2 * pad - kh) // stride + 1, (wd + 2 * pad - kw) // stride + 1
    y = np.zeros((out, oh, ow), np.int64)
    for m in range(out):
        first = m // (out // group) * per_group
        for i in range(oh):
            for j in range(ow):
                window = padded[first:first + per_group, i * stride:i * stride + kh, j * stride:j * stride + kw]
                y[m, i, j] = int((window * w[m]).sum())
    return y


def layer(name, source, out, kernel, stride, pad, group, shift):
    """Convolution and requantization; the constants make use of the whole range."""
    x = layers[source]
    w = rng.randint(-64, 64, (out, x.shape[0] // group, kernel, kernel))
    acc = convolve(x, w, stride, pad, group)
    factor = int(rng.randint(17, 64))
    kappa, lamda = np.zeros(out, np.int64), np.zeros(out, np.int64)
    for m in range(out):
        low, high = int(acc[m].min()), int(acc[m].max())
        kappa[m] = min(2047, (280 << shift) // factor // max(1, high - low))
        if m == 1:
            kappa[m] = -kappa[m]
        if m == 2:
            kappa[m] = 0
        lamda[m] = (110 << shift) // factor - int(kappa[m]) * (low + high) // 2 + int(rng.randint(-9999, 9999))
    y = acc * kappa[:, None, None] + lamda[:, None, None]
    assert abs(y).max() < 2**24 and abs(kappa).max() >= 16  # float32 holds them, so that any evaluation agrees
    layers[name] = np.clip(y * factor >> shift, 0, 255)
    constant(name + ".w", w.astype(np.float32))
    constant(name + ".kappa", kappa.reshape(1, -1, 1, 1).astype(np.float32))
    constant(name + ".lamda", lamda.reshape(1, -1, 1, 1).astype(np.float32))
    node("Conv", [source, name + ".w"], name + ".acc", kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=group)
    node("Mul", [name + ".kappa", name + ".acc"], name + ".scaled")
    node("Add", [name + ".scaled", name + ".lamda"], name + ".shifted")
    node("Cast", [name + ".shifted"], name + ".whole", to=TensorProto.INT64)
    node("Mul", [name + ".whole", constant(name + ".factor", np.array([factor], np.int64))], name + ".multiplied")
    node("Div", [name + ".multiplied", constant(name + ".divisor", np.array([1 << shift], np.int64))], name + ".divided")
    node("Cast", [name + ".divided"], name + ".float", to=TensorProto.FLOAT)
    node("Clip", [name + ".float"], name, min=0.0, max=255.0)


def main():
    layers["x"] = rng.randint(0, 256, (1, 16, 16)).astype(np.int64)
    layer("first", "x", 8, 5, 1, 2, 1, 20)
    x = layers["first"]
    layers["pooled"] = x.reshape(8, 8, 2, 8, 2).max(axis=(2, 4))
    node("MaxPool", ["first"], "pooled", kernel_shape=[2, 2], strides=[2, 2])
    layer("depthwise", "pooled", 8, 3, 2, 1, 8, 20)
    layer("pointwise", "depthwise", 12, 1, 1, 0, 1, 20)
    layer("bypass", "pooled", 12, 1, 2, 0, 1, 20)
    a, b, shift = 20, 12, 5
    layers["sum"] = a * layers["pointwise"] + b * layers["bypass"] >> shift
    node("Mul", ["pointwise", constant("a", np.float32(a))], "sum.a")
    node("Mul", ["bypass", constant("b", np.float32(b))], "sum.b")
    node("Add", ["sum.a", "sum.b"], "sum.all")
    node("Div", ["sum.all", constant("sum.divisor", np.float32(1 << shift))], "sum.divided")
    node("Floor", ["sum.divided"], "sum")
    w = rng.randint(-64, 64, (12 * 16, 2))
    layers["scores"] = layers["sum"].reshape(1, -1) @ w
    node("Flatten", ["sum"], "flat", axis=1)
    node("MatMul", ["flat", constant("w", w.astype(np.float32))], "scores")
    node("Gather", ["scores", constant("zero", np.int64(0))], "steer", axis=1)
    node("Gather", ["scores", constant("one", np.int64(1))], "other", axis=1)
    node("Mul", ["other", constant("small", np.float32(2.0**-17))], "small_other")
    node("Sigmoid", ["small_other"], "collision")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "integers", [value("x", TensorProto.FLOAT, [1, 1, 16, 16])],
                              [value("steer", TensorProto.FLOAT, [1]), value("collision", TensorProto.FLOAT, [1])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)])
    model.ir_version = 6
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(HERE, "integers.onnx"))
    arrays = {k: v.transpose(1, 2, 0).astype(np.int16) if v.ndim == 3 else v.astype(np.int32) for k, v in layers.items()}
    arrays["x"] = layers["x"][None].astype(np.uint8)
    np.savez_compressed(os.path.join(HERE, "integers.npz"), **arrays)


main()
