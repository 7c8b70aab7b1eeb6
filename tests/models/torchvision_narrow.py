#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes networks of torchvision, narrow and with random weights, as ONNX files: shapes that nobody tuned for aihls.

    torchvision_narrow.py DIRECTORY

The architectures are torchvision's own, through its public constructors; images have 96 x 96 pixels, ten classes. BatchNorm
gets statistics that are not trivial, so that folding it matters. Needs Debian's python3-torchvision. The same versions give
the same bytes.
"""
import os
import sys

import torch
from torchvision import models

SEED = 1
NETWORKS = {
    "mobilenet_v2_025": lambda: models.mobilenet_v2(width_mult=0.25, num_classes=10),
    "mobilenet_v3_small_035": lambda: models.mobilenet_v3_small(width_mult=0.35, num_classes=10),
    "squeezenet1_1": lambda: models.squeezenet1_1(num_classes=10),
}


def main(directory):
    os.makedirs(directory, exist_ok=True)
    for name, make in NETWORKS.items():
        torch.manual_seed(SEED)
        net = make().eval()
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        torch.onnx.export(net, torch.randn(1, 3, 96, 96), os.path.join(directory, name + ".onnx"), opset_version=13)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
