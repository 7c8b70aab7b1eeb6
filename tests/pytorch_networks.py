#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds `aihls run --float` against PyTorch on networks of torchvision with random weights, exported as users export them.

    pytorch_networks.py AIHLS DIRECTORY [NETWORK...] >docs/pytorch.md

Exports each network into DIRECTORY (once), runs one random image, or sequence, through both, and writes a row of a table: the
largest difference, relative to the largest element of PyTorch's output, of the output where it is largest. Exit code 1
when one is above 1e-4 or a network does not run. Needs Debian's python3-torchvision.
"""
import os
import subprocess
import sys
import time

import numpy as np
import torch
from torchvision import models

LIMIT = 1e-4
PAGE = """<!-- SPDX-License-Identifier: Apache-2.0 -->
# The float reference beside PyTorch

`make pytorch` exports networks of torchvision with random weights (opset 16, nothing folded), runs one random image or sequence
through PyTorch and through `aihls run --float`, and writes this page. It needs Debian's python3-torchvision and some
minutes. The difference is the largest of all elements, relative to PyTorch's largest element; the bound is 1e-4.
"""


class Recurrent(torch.nn.Module):
    """Sequences of 20 x 16 features to 10 classes through two layers, both ways."""

    def __init__(self, kind):
        super().__init__()
        self.cells = kind(16, 32, num_layers=2, bidirectional=True, batch_first=True)
        self.out = torch.nn.Linear(64, 10)

    def forward(self, x):
        return self.out(self.cells(x)[0][:, -1])


class Main(torch.nn.Module):
    """The segmentation networks give a dictionary; what users export is its "out"."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


IMAGE = (1, 3, 224, 224)
NETWORKS = {
    "resnet18": (models.resnet18, IMAGE),
    "resnet50": (models.resnet50, IMAGE),
    "mobilenet_v2": (models.mobilenet_v2, IMAGE),
    "mobilenet_v3_small": (models.mobilenet_v3_small, IMAGE),
    "mobilenet_v3_large": (models.mobilenet_v3_large, IMAGE),
    "squeezenet1_1": (models.squeezenet1_1, IMAGE),
    "efficientnet_b0": (models.efficientnet_b0, IMAGE),
    "densenet121": (models.densenet121, IMAGE),
    "googlenet": (lambda: models.googlenet(aux_logits=False, init_weights=False), IMAGE),
    "inception_v3": (lambda: models.inception_v3(aux_logits=False, init_weights=False), (1, 3, 299, 299)),
    "shufflenet_v2_x1_0": (models.shufflenet_v2_x1_0, IMAGE),
    "regnet_y_400mf": (models.regnet_y_400mf, IMAGE),
    "mnasnet1_0": (models.mnasnet1_0, IMAGE),
    "convnext_tiny": (models.convnext_tiny, IMAGE),
    "vit_b_16": (models.vit_b_16, IMAGE),
    "swin_t": (models.swin_t, IMAGE),
    "deeplabv3_resnet50": (lambda: Main(models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None)), IMAGE),
    "lstm": (lambda: Recurrent(torch.nn.LSTM), (1, 20, 16)),
    "gru": (lambda: Recurrent(torch.nn.GRU), (1, 20, 16)),
}


def export(name, path):
    """Writes PATH.onnx, PATH_x.npy and PATH_y.npy: model, input, PyTorch's output."""
    make, shape = NETWORKS[name]
    torch.manual_seed(1)
    net = make().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # statistics that matter
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    for weights in net.parameters():
        if weights.dim() > 1 and not weights.any():  # a head that is to be trained: zeros would prove nothing
            torch.nn.init.normal_(weights, std=0.05)
    x = torch.randn(*shape)
    with torch.no_grad():
        y = net(x)
    # as it stands: folding would hide operators from the reader
    torch.onnx.export(net, x, path + ".onnx", opset_version=16, do_constant_folding=False, input_names=["x"], output_names=["y"])
    np.save(path + "_x.npy", x.numpy())
    np.save(path + "_y.npy", y.numpy())


def run(aihls, name, path):
    """The row of a network, and whether it is good."""
    if not os.path.exists(path + "_y.npy"):
        export(name, path)
    start = time.monotonic()
    r = subprocess.run([aihls, "run", path + ".onnx", "--float", "--input", path + "_x.npy", "--output", path + "_got.npy"], stderr=subprocess.PIPE, text=True)
    seconds = time.monotonic() - start
    if r.returncode:
        return "| %s | does not run: %s |" % (name, r.stderr.strip().split("\n")[0]), False
    want, got = np.load(path + "_y.npy"), np.load(path + "_got.npy")
    if want.shape != got.shape:
        return "| %s | shape %s, not %s |" % (name, got.shape, want.shape), False
    off = float(np.abs(got - want).max() / np.abs(want).max())
    print("%-20s %.1e  %5.1f s" % (name, off, seconds), file=sys.stderr)
    return "| %s | %s | %.1e |" % (name, " x ".join(str(d) for d in want.shape), off), off <= LIMIT


def main(aihls, directory, names):
    os.makedirs(directory, exist_ok=True)
    rows = [run(aihls, n, os.path.join(directory, n)) for n in names or NETWORKS]
    print(PAGE)
    print("| network | output | largest difference, relative |\n|---|---|---:|")
    print("\n".join(row for row, _ in rows))
    good = sum(ok for _, ok in rows)
    print("\n%d of %d networks equal PyTorch %s within %g." % (good, len(rows), torch.__version__, LIMIT))
    return good != len(rows)


if __name__ == "__main__":
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(NETWORKS):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
