# SPDX-License-Identifier: Apache-2.0
# Post-training quantization of aihls beside ONNX Runtime's quantize_static: the same float models, the same calibration
# frames, the same test frames, none of which is in both sets.
#     tests/quantization.py AIHLS MODELS_DIR INPUTS_DIR [--write FILE.md] [MODEL...]
# Runs in a virtual environment with onnx, onnxruntime and numpy (`make quantization`). Prints a table in Markdown; --write
# puts it between the marks in FILE.md. ONNX Runtime's row "best" is the best top-1 agreement, then SQNR, of its methods and
# settings in ORT_WAYS: the other side may choose with the test frames, aihls may not.
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

ort.set_default_logger_severity(3)

ORT_WAYS = {
    "min-max": (CalibrationMethod.MinMax, {}),
    "entropy": (CalibrationMethod.Entropy, {}),
    "percentile": (CalibrationMethod.Percentile, {"CalibPercentile": 99.999}),
}


def nchw(x):
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def crops(images, size, n, seed):
    """n random crops of `size` (height, width) of the images, every other one mirrored."""
    rng, out = np.random.default_rng(seed), []
    for i in range(n):
        x = images[i % len(images)]
        step = int(rng.integers(1, min(x.shape[0] // size[0], x.shape[1] // size[1]) + 1))
        x = x[::step, ::step]
        r, c = (int(rng.integers(0, x.shape[k] - size[k] + 1)) for k in range(2))
        x = x[r:r + size[0], c:c + size[1]]
        out.append(x[:, ::-1] if i % 2 else x)
    return np.stack(out)


def shifted(images, n, seed):
    """n copies of whole images, moved by up to 40 pixels with the border repeated, brighter or darker, some mirrored."""
    rng, out = np.random.default_rng(seed), []
    for i in range(n):
        x = np.pad(images[i % len(images)], ((40, 40), (40, 40), (0, 0)), mode="edge")
        r, c = rng.integers(0, 81, 2)
        x = x[r:r + 240, c:c + 320].astype(np.float32) * rng.uniform(0.7, 1.2)
        out.append(np.clip(x[:, ::-1] if i % 2 else x, 0, 255))
    return np.stack(out)


class Data:
    def __init__(self, folder):
        self.folder = folder

    def load(self, name):
        return np.load(os.path.join(self.folder, name + ".npz"))

    def mnist(self, f):
        z = self.load("mnist_2000")
        return f(z["x"].astype(np.float32))[:, None], z["y"], 200

    def kws(self):
        z = self.load("kws01_1000")
        return (z["x"].astype(np.float32)[:, None] - 83) * np.float32(0.5847029), z["y"], 200

    def cifar(self, f):
        """64 frames to calibrate; the other 178 as they are, mirrored, and both moved by two pixels: few frames more tell less."""
        z = self.load("cifar10_vit_242")
        x, y, n = nchw(z["x"]).astype(np.float32), z["y"], 64
        moved = [np.roll(t, (a, b), (2, 3)) for t in (x[n:], x[n:, :, :, ::-1]) for a, b in ((0, 0), (2, 0), (0, -2))]
        return f(np.concatenate([x[:n], *moved])), np.concatenate([y[:n]] + [y[n:]] * len(moved)), n

    def vww(self):
        x = self.load("faces_4")["x"]
        x = np.concatenate([crops(x[:2], (96, 96), 64, 1), crops(x[2:], (96, 96), 256, 2)])
        return nchw(x).astype(np.float32) / 255, None, 64

    def faces(self):
        x = self.load("faces_4")["x"]
        x = np.concatenate([shifted(x[:2], 8, 1), shifted(x[2:], 8, 2)])
        return (nchw(x).astype(np.float32) - 127) / 128, None, 8


CASES = {
    "zoo_mnist_8": lambda d: d.mnist(lambda x: x),
    "burn_mnist": lambda d: d.mnist(lambda x: (x / 255 - 0.1307) / 0.3081),
    "mt_dscnn_f32": lambda d: d.kws(),
    "mt_resnet8_f32": lambda d: d.cifar(lambda x: x),
    "mt_vww_f32": lambda d: d.vww(),
    "ali_ic_f32": lambda d: d.cifar(lambda x: (x / 255 - IMAGENET_MEAN) / IMAGENET_STD),
    "uf_slim_320_simplified": lambda d: d.faces(),
}
IMAGENET_MEAN = np.float32([0.485, 0.456, 0.406]).reshape(3, 1, 1)
IMAGENET_STD = np.float32([0.229, 0.224, 0.225]).reshape(3, 1, 1)


def fixed_batch(path, folder):
    """The model with one frame a call, as aihls sees it."""
    m = onnx.load(path)
    for v in list(m.graph.input) + list(m.graph.output):
        d = v.type.tensor_type.shape.dim
        if len(d) and not d[0].dim_value:
            d[0].dim_value = 1
    while len(m.opset_import) and m.opset_import[0].version < 13:
        m = onnx.version_converter.convert_version(m, 13)
    out = os.path.join(folder, "float.onnx")
    onnx.save(m, out)
    return out


def ort_run(path, x):
    s = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = s.get_inputs()[0].name
    rows = [s.run(None, {name: f[None]}) for f in x]
    return {o.name: np.stack([r[k].reshape(o.shape[1:]) for r in rows]) for k, o in enumerate(s.get_outputs())}


class Reader(CalibrationDataReader):
    def __init__(self, name, x):
        self.rows = iter([{name: f[None]} for f in x])

    def get_next(self):
        return next(self.rows, None)


def ort_quantized(way, path, calib, test, folder):
    method, extra = ORT_WAYS[way]
    prepared, out = os.path.join(folder, "prepared.onnx"), os.path.join(folder, "int8.onnx")
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    name = onnx.load(prepared).graph.input[0].name
    # Per-channel scales that it adjusts for a bias end it with a ValueError in zoo_mnist_8 (1.32.0): there without.
    for more in {}, {"QDQDisableWeightAdjustForInt32Bias": True}:
        try:
            quantize_static(prepared, out, Reader(name, calib), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QInt8,
                            weight_type=QuantType.QInt8, calibrate_method=method, extra_options={**extra, **more})
            break
        except ValueError:
            if more:
                raise
    return ort_run(out, test)


def aihls_run(aihls, path, folder, *more):
    out = os.path.join(folder, "y.npz")
    start = time.time()
    subprocess.run([aihls, "run", path, "--input", os.path.join(folder, "test.npy"), "--output", out, *more], check=True)
    z = np.load(out)
    return {k: z[k] for k in z.files}, time.time() - start


def scores(y, want):
    """The output that has classes: the last axis holds their scores."""
    return y[next(k for k in want if k in y and "box" not in k)]


def measure(y, want, labels):
    """agreement and loss of top-1 in percent (loss None without labels), SQNR in dB over all outputs together."""
    a, b = scores(y, want), scores(want, want)
    b = b.reshape(-1, b.shape[-1])
    a = a.reshape(b.shape)
    top, real = a.argmax(1), b.argmax(1)
    loss = None if labels is None else 100 * (np.mean(real == labels) - np.mean(top == labels))
    power = sum(np.sum(np.float64(want[k]) ** 2) for k in want)
    noise = sum(np.sum((np.float64(y[k]).reshape(want[k].shape) - want[k]) ** 2) for k in want)
    return 100 * np.mean(top == real), loss, 10 * np.log10(power / max(noise, 1e-30))


def cell(m):
    agree, loss, sqnr = m
    return "%.2f | %s | %.1f" % (agree, "–" if loss is None else "%+.2f" % loss, sqnr)


def row(aihls, models, data, name):
    with tempfile.TemporaryDirectory() as folder:
        x, labels, n = CASES[name](data)
        x = x.astype(np.float32)
        calib, test, labels = x[:n], x[n:], None if labels is None else labels[n:]
        np.save(os.path.join(folder, "calib.npy"), calib)
        np.save(os.path.join(folder, "test.npy"), test)
        path = fixed_batch(os.path.join(models, name + ".onnx"), folder)
        want = ort_run(path, test)
        others = {w: measure(ort_quantized(w, path, calib, test, folder), want, labels) for w in ORT_WAYS}
        y, took = aihls_run(aihls, path, folder, "--calib", os.path.join(folder, "calib.npy"), *os.environ.get("AIHLS_QUANT", "").split())
        mine = measure(y, want, labels)
        best = max(others, key=lambda w: (round(others[w][0], 3), others[w][2]))
        print(name, "%.2f s" % took, {w: cell(m) for w, m in others.items()}, file=sys.stderr)
        return "| %s | %d / %d | %s | %s | %s (%s) |" % (name, n, len(test), cell(mine), cell(others["min-max"]), cell(others[best]), best)


HEAD = """| network | frames: calibration / test | aihls agreement % | loss | SQNR dB | min-max agreement % | loss | SQNR dB | best agreement % | loss | SQNR dB (which) |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""
BEGIN, END = "<!-- measured by make quantization -->", "<!-- end -->"


def main():
    aihls, models, inputs, *rest = sys.argv[1:]
    target = None
    if rest[:1] == ["--write"]:
        target, rest = rest[1], rest[2:]
    rows = [HEAD] + [row(aihls, models, Data(inputs), name) for name in rest or CASES]
    text = "\n".join(rows)
    print(text)
    if target:
        with open(target) as f:
            before, _, after = f.read().partition(BEGIN)
        with open(target, "w") as f:
            f.write(before + BEGIN + "\n" + text + "\n" + END + after.partition(END)[2])


main()
