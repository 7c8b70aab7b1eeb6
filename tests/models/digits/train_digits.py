#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the small residual network of this folder and writes its three files.

    digits.onnx        opset 13, input "x" [1,1,8,8] float32 of 0..16, output "logits" [1,10]
    digits_calib.npy   float32 [197,1,8,8], for calibration
    digits_test.npz    x float32 [400,1,8,8], y int64 [400]

Needs Debian's python3-torch, python3-sklearn, python3-onnx and python3-numpy; takes some
15 seconds on one core. Seeds and thread count are fixed: the same machine and the same
versions give the same bytes.

The split is one permutation of the 1,797 images (not stratified): the first 1,200
train, the next 197 calibrate, the last 400 test. Nothing is chosen by looking at the last
two: the number of epochs and all other settings are fixed, and the last weights are taken.
"""
import os

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from torch import nn

SEED = 20
N_TRAIN, N_CALIB, N_TEST = 1200, 197, 400
EPOCHS, BATCH = 60, 50
HERE = os.path.dirname(os.path.abspath(__file__))


class Block(nn.Module):
    """Two 3x3 convolutions and a skip: the identity, or 1x1 when the shape changes."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.skip = None
        if stride != 1 or c_in != c_out:
            self.skip = nn.Conv2d(c_in, c_out, 1, stride, 0, bias=False)
            self.bn_skip = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.skip is None else self.bn_skip(self.skip(x))))


class Net(nn.Module):
    """8x8 -> 6x6 (no padding: the images have an empty margin) -> 6x6 -> 3x3 -> 10."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, 1, 0, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.block1 = Block(16, 16, 1)
        self.block2 = Block(16, 32, 2)
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.bn(self.stem(x)))
        x = self.block2(self.block1(x))
        return self.fc(x.mean((2, 3)))


def split():
    digits = load_digits()
    x = digits.images.astype(np.float32)[:, None]
    y = digits.target.astype(np.int64)
    order = np.random.RandomState(SEED).permutation(len(y))
    assert len(order) == N_TRAIN + N_CALIB + N_TEST
    cut = np.split(order, [N_TRAIN, N_TRAIN + N_CALIB])
    return [(x[i], y[i]) for i in cut]


def shifted(x, rng):
    """Each image moved by at most one pixel: 1,200 images are few."""
    out = torch.zeros_like(x)
    for i, (dy, dx) in enumerate(rng.randint(-1, 2, (len(x), 2))):
        moved = F.pad(x[i], (1, 1, 1, 1))
        out[i] = moved[:, 1 + dy:9 + dy, 1 + dx:9 + dx]
    return out


def train(x, y):
    rng = np.random.RandomState(SEED)
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(y) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    net.train()
    for _ in range(EPOCHS):
        order = torch.from_numpy(rng.permutation(len(y)))
        for i in range(0, len(y) - BATCH + 1, BATCH):
            j = order[i:i + BATCH]
            loss = F.cross_entropy(net(shifted(x[j], rng)), y[j], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()
    return net


class Writer:
    """Collects nodes and initializers of an ONNX graph."""

    def __init__(self):
        self.nodes, self.weights, self.macs = [], [], 0

    def weight(self, name, t):
        self.weights.append(numpy_helper.from_array(t.detach().numpy().copy(), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv_bn(self, x, conv, bn, name, pixels):
        k, stride, pad = conv.kernel_size[0], conv.stride[0], conv.padding[0]
        self.macs += conv.weight.numel() * pixels
        y = self.node("Conv", [x, self.weight(name + ".weight", conv.weight)], name,
                      kernel_shape=[k, k], strides=[stride, stride], pads=[pad] * 4)
        bits = [self.weight(f"{name}.bn.{part}", getattr(bn, field)) for part, field in
                (("scale", "weight"), ("bias", "bias"), ("mean", "running_mean"),
                 ("var", "running_var"))]
        return self.node("BatchNormalization", [y] + bits, name + ".bn", epsilon=bn.eps)

    def block(self, x, b, name, pixels):
        y = self.conv_bn(x, b.conv1, b.bn1, name + ".conv1", pixels)
        y = self.node("Relu", [y], name + ".relu1")
        y = self.conv_bn(y, b.conv2, b.bn2, name + ".conv2", pixels)
        if b.skip is not None:
            x = self.conv_bn(x, b.skip, b.bn_skip, name + ".skip", pixels)
        return self.node("Relu", [self.node("Add", [y, x], name + ".add")], name + ".relu2")


def export(net, path):
    w = Writer()
    y = w.node("Relu", [w.conv_bn("x", net.stem, net.bn, "stem", 36)], "stem.relu")
    y = w.block(y, net.block1, "block1", 36)
    y = w.block(y, net.block2, "block2", 9)
    y = w.node("Flatten", [w.node("GlobalAveragePool", [y], "pool")], "flatten", axis=1)
    w.node("Gemm", [y, w.weight("fc.weight", net.fc.weight), w.weight("fc.bias", net.fc.bias)],
           "logits", transB=1)
    w.macs += net.fc.weight.numel()
    graph = helper.make_graph(
        w.nodes, "digits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])], w.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)],
                              producer_name="train_digits")
    model.ir_version = 7
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return w.macs


def run_file(path, x):
    """Evaluates the written file node by node, a batch at a time, as its reader would."""
    graph = onnx.load(path).graph
    v = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    v["x"] = x
    for n in graph.node:
        a = {p.name: helper.get_attribute_value(p) for p in n.attribute}
        i = [v[name] for name in n.input]
        if n.op_type == "Conv":
            y = F.conv2d(i[0], i[1], None, a["strides"], a["pads"][:2])
        elif n.op_type == "BatchNormalization":
            y = F.batch_norm(i[0], i[3], i[4], i[1], i[2], False, 0.0, a["epsilon"])
        elif n.op_type == "Gemm":
            y = i[0] @ i[1].T + i[2]
        else:
            y = {"Relu": lambda: F.relu(i[0]), "Add": lambda: i[0] + i[1],
                 "GlobalAveragePool": lambda: i[0].mean((2, 3), keepdim=True),
                 "Flatten": lambda: i[0].flatten(1)}[n.op_type]()
        v[n.output[0]] = y
    return v["logits"]


def accuracy(logits, y):
    return float((logits.argmax(1) == torch.from_numpy(y)).float().mean())


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    (x, y), (x_calib, y_calib), (x_test, y_test) = split()
    net = train(torch.from_numpy(x), torch.from_numpy(y))
    path = os.path.join(HERE, "digits.onnx")
    macs = export(net, path)
    np.save(os.path.join(HERE, "digits_calib.npy"), x_calib)
    np.savez_compressed(os.path.join(HERE, "digits_test.npz"), x=x_test, y=y_test)
    with torch.no_grad():
        logits = run_file(path, torch.from_numpy(x_test))
        assert torch.allclose(logits, net(torch.from_numpy(x_test)), atol=1e-4)
        calib = run_file(path, torch.from_numpy(x_calib))
    print(f"{macs} MACs; accuracy of the file: {accuracy(logits, y_test):.4f} on {N_TEST} test "
          f"images, {accuracy(calib, y_calib):.4f} on {N_CALIB} calibration images")
    assert accuracy(logits, y_test) >= 0.98


if __name__ == "__main__":
    main()
