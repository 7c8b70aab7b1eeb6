#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the network of train_digits.py further, for a camera that is mounted sideways, and writes

    digits_turned.onnx   the same layers with other weights: for images that are turned by 90 degrees to the left

for `aihls --reload`. Starts from the weights that train_digits.py makes, trains on the same 1,200 images, and needs what it
needs; takes some 20 seconds on one core.
"""
import os

import torch
import torch.nn.functional as F

import train_digits as first

EPOCHS, RATE = 20, 1e-3


def turned(x):
    return torch.rot90(x, 1, (2, 3))


def tune(net, x, y):
    rng = first.np.random.RandomState(first.SEED + 1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    net.train()
    for _ in range(EPOCHS):
        order = torch.from_numpy(rng.permutation(len(y)))
        for i in range(0, len(y) - first.BATCH + 1, first.BATCH):
            j = order[i:i + first.BATCH]
            loss = F.cross_entropy(net(first.shifted(x[j], rng)), y[j], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    net.eval()
    return net


def main():
    torch.manual_seed(first.SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    (x, y), _, (x_test, y_test) = first.split()
    x, y, x_test = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(x_test)
    net = first.train(x, y)
    with torch.no_grad():
        before = first.accuracy(net(turned(x_test)), y_test)
    net = tune(net, turned(x), y)
    path = os.path.join(first.HERE, "digits_turned.onnx")
    first.export(net, path)
    with torch.no_grad():
        after = first.accuracy(first.run_file(path, turned(x_test)), y_test)
    print(f"accuracy on {len(y_test)} turned test images: {before:.4f} before, {after:.4f} after")
    assert after >= 0.95


if __name__ == "__main__":
    main()
