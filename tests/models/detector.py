#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes detector.onnx: finds squares and discs in noisy images of 64 x 64 pixels, with boxes decoded and NonMaxSuppression at its
end, and detector_test.npz, 24 images (x, uint8; the first 8 serve as calibration) with their objects (objects: class, y0, x0,
y1, x1; class -1: none). Needs torch, numpy and onnx of Debian 12; takes about a minute.

    python3 tests/models/detector.py DIRECTORY
"""
import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

SIZE, GRID, CELL, OBJECTS, CLASSES = 64, 8, 8, 2, 2
STEPS, BATCH = 500, 48
TEST = 24


def scene(rng):
    """An image of 0..255 and its objects."""
    image = rng.uniform(0, 90, (SIZE, SIZE))
    found = np.full((OBJECTS, 5), -1.0, np.float32)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    cells = set()
    for i in range(rng.integers(1, OBJECTS + 1)):
        for _ in range(20):
            side = rng.integers(10, 23)
            y, x = rng.integers(0, SIZE - side, 2)
            apart = all(o[0] < 0 or y >= o[3] or x >= o[4] or y + side <= o[1] or x + side <= o[2] for o in found)
            cell = ((y + side / 2) // CELL, (x + side / 2) // CELL)
            if apart and cell not in cells:
                break
        else:
            continue
        cells.add(cell)
        kind = rng.integers(0, CLASSES)
        disc = (yy + 0.5 - y - side / 2) ** 2 + (xx + 0.5 - x - side / 2) ** 2 <= side * side / 4
        square = (yy >= y) & (yy < y + side) & (xx >= x) & (xx < x + side)
        image[disc if kind else square] = rng.uniform(150, 255)
        found[i] = kind, y, x, y + side, x + side
    return np.round(image).astype(np.uint8), found


def targets(found):
    """Class of each cell (0: nothing), and offset of the centre and logarithm of the size where there is an object."""
    kind = np.zeros((GRID, GRID), np.int64)
    box = np.zeros((4, GRID, GRID), np.float32)
    for k, y0, x0, y1, x1 in found:
        if k < 0:
            continue
        cy, cx = (y0 + y1) / 2 / CELL, (x0 + x1) / 2 / CELL
        i, j = int(cy), int(cx)
        kind[i, j] = int(k) + 1
        box[:, i, j] = cy - i, cx - j, np.log((y1 - y0) / 16), np.log((x1 - x0) / 16)
    return kind, box


def network():
    def block(a, b, stride):
        return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1), nn.BatchNorm2d(b), nn.ReLU())
    return nn.Sequential(block(1, 8, 2), block(8, 16, 2), block(16, 24, 2), block(24, 24, 1), block(24, 24, 1), nn.Conv2d(24, 4 + CLASSES + 1, 1))


def train():
    rng = np.random.default_rng(1)
    torch.manual_seed(1)
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, STEPS)
    for step in range(STEPS):
        images, kinds, boxes = [], [], []
        for _ in range(BATCH):
            image, found = scene(rng)
            kind, box = targets(found)
            images.append(image)
            kinds.append(kind)
            boxes.append(box)
        x = torch.tensor(np.stack(images), dtype=torch.float32)[:, None] / 255
        kind, box = torch.tensor(np.stack(kinds)), torch.tensor(np.stack(boxes))
        y = net(x)
        there = (kind > 0)[:, None].float()
        centre, size = torch.sigmoid(y[:, 0:2]), y[:, 2:4]
        loss = nn.functional.cross_entropy(y[:, 4:], kind, weight=torch.tensor([0.06, 1, 1]))
        loss = loss + 4 * (((centre - box[:, :2]).abs() + (size - box[:, 2:]).abs()) * there).sum() / there.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            print(step + 1, float(loss))
    return net.eval()


def export(net, path):
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(op, inputs, outputs, **attributes):
        nodes.append(helper.make_node(op, inputs, outputs if isinstance(outputs, list) else [outputs], name=(outputs if isinstance(outputs, str) else outputs[0]), **attributes))
        return outputs

    at, n = "x", 0
    for part in net:
        conv = part[0] if isinstance(part, nn.Sequential) else part
        w, b = conv.weight.detach().clone(), conv.bias.detach().clone()
        if isinstance(part, nn.Sequential): # the normalization into the weights
            scale = part[1].weight.detach() / torch.sqrt(part[1].running_var + part[1].eps)
            w, b = w * scale[:, None, None, None], (b - part[1].running_mean) * scale + part[1].bias.detach()
        if n == 0:
            w = w / 255
        pad = conv.padding[0]
        at = node("Conv", [at, constant(f"w{n}", w.numpy()), constant(f"b{n}", b.numpy())], f"conv{n}", strides=list(conv.stride), pads=[pad] * 4,
                  kernel_shape=list(conv.kernel_size))
        if isinstance(part, nn.Sequential):
            at = node("Relu", [at], f"relu{n}")
        n += 1
    cells = GRID * GRID
    at = node("Reshape", [at, constant("rows", np.array([1, 4 + CLASSES + 1, cells]))], "cells")
    node("Split", [at, constant("parts", np.array([2, 2, CLASSES + 1]))], ["centre_raw", "size_raw", "class_raw"], axis=1)
    grid = np.stack(np.mgrid[:GRID, :GRID].astype(np.float32)).reshape(1, 2, cells)
    node("Sigmoid", ["centre_raw"], "offset")
    node("Add", ["offset", constant("grid", grid)], "centre_cells")
    node("Mul", ["centre_cells", constant("cell", np.float32(CELL))], "centre")
    node("Exp", ["size_raw"], "size_factor")
    node("Mul", ["size_factor", constant("half_size", np.float32(8))], "half")
    node("Sub", ["centre", "half"], "low")
    node("Add", ["centre", "half"], "high")
    node("Concat", ["low", "high"], "corners", axis=1)
    node("Transpose", ["corners"], "boxes", perm=[0, 2, 1])
    node("Softmax", ["class_raw"], "shares", axis=1)
    node("Slice", ["shares", constant("first", np.array([1])), constant("end", np.array([CLASSES + 1])), constant("class_axis", np.array([1]))], "scores")
    node("NonMaxSuppression", ["boxes", "scores", constant("most", np.array([4])), constant("iou", np.float32(0.4)), constant("least", np.float32(0.5))], "found")
    graph = helper.make_graph(nodes, "detector", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, SIZE, SIZE])],
                              [helper.make_tensor_value_info("found", TensorProto.INT64, [None, 3]),
                               helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, cells, 4]),
                               helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, CLASSES, cells])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="detector.py")
    model.ir_version = 8
    onnx.save(model, path)


if __name__ == "__main__":
    directory = sys.argv[1] if len(sys.argv) > 1 else "."
    torch.set_num_threads(1)
    export(train(), f"{directory}/detector.onnx")
    rng = np.random.default_rng(2)
    tests = [scene(rng) for _ in range(TEST)]
    np.savez_compressed(f"{directory}/detector_test.npz", x=np.stack([t[0] for t in tests])[:, None], objects=np.stack([t[1] for t in tests]))
    np.save(f"{directory}/detector_calib.npy", np.stack([t[0] for t in tests[:8]])[:, None])
