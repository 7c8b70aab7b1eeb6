# SPDX-License-Identifier: Apache-2.0
"""aihls: runs frames through a network that aihls compiled, from Python (ctypes and numpy).

The library is build/libNAME.so of the output's driver/ (`make python`); NAME.py beside it names it:

    import digits                               # with driver/ on sys.path
    with digits.open("simulation") as net:      # "reference", "linux", ...; None: the best there is
        scores = net.run(image)                 # one frame: arrays in the model's own shape and element type
        tickets = [net.submit(x) for x in some] # or several under way, at most queue_frames of them
        results = [net.wait(t) for t in tickets]

A Network belongs to one thread at a time. Errors are aihls.Error, with the library's status number; an array of another
shape or element type than the network has is a ValueError or TypeError before anything is sent.
"""
import collections
import ctypes as c

import numpy as np

INTERFACE = 3  # AIHLS_INTERFACE of aihls.h, whose structures stand below
MAX_RANK = 8
STATUS = ("OK", "E_NULL", "E_ARGUMENT", "E_SHAPE", "E_TYPE", "E_FULL", "E_EMPTY", "E_TICKET", "E_TIMEOUT", "E_CLOSED",
          "E_BACKEND", "E_MEMORY", "E_INTERFACE", "E_DEVICE", "E_BITSTREAM", "E_BUSY")
# bfloat16, which numpy lacks, is its 16 bits
DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16",
          11: "float64", 12: "uint32", 13: "uint64", 16: "uint16"}


class _Tensor(c.Structure):
    _fields_ = [("name", c.c_char_p), ("type", c.c_int), ("rank", c.c_int32), ("dims", c.c_int32 * MAX_RANK), ("count", c.c_int32)]


class _Port(c.Structure):
    _fields_ = [("tensor", _Tensor), ("scale", c.c_double), ("zero_point", c.c_int32), ("height", c.c_int32), ("width", c.c_int32),
                ("channels", c.c_int32), ("lanes", c.c_int32), ("bytes", c.c_int32), ("border", c.c_void_p)]


class _Network(c.Structure):
    _fields_ = [("interface", c.c_int32), ("name", c.c_char_p), ("model_sha256", c.c_char_p), ("n_inputs", c.c_int32), ("n_outputs", c.c_int32),
                ("inputs", c.POINTER(_Port)), ("outputs", c.POINTER(_Port)), ("n_classes", c.c_int32), ("labels", c.POINTER(c.c_char_p)),
                ("clock_hz", c.c_int64), ("frame_cycles", c.c_int64), ("latency_cycles", c.c_int64), ("scratch_bytes", c.c_int32),
                ("code", c.c_void_p), ("code_bytes", c.c_int32), ("host", c.c_void_p)]


class _Options(c.Structure):
    _fields_ = [("queue_frames", c.c_int32), ("on_done", c.c_void_p), ("user", c.c_void_p), ("device", c.c_void_p)]


class _Data(c.Structure):  # aihls_input and aihls_output
    _fields_ = [("data", c.c_void_p), ("type", c.c_int), ("count", c.c_int32)]


class _Frame(c.Structure):
    _fields_ = [("latency_cycles", c.c_int64), ("interval_cycles", c.c_int64)]


class _Statistics(c.Structure):
    _fields_ = [(n, c.c_int64) for n in ("submitted", "done", "lost", "cycles", "bytes_in", "bytes_out")]


# scale, zero_point: what an element q on the wire stands for is scale * (q - zero_point); None where the processor computes
# between the tensor and the wire
Tensor = collections.namedtuple("Tensor", "name dtype shape scale zero_point")
Statistics = collections.namedtuple("Statistics", [n for n, _ in _Statistics._fields_])


class Error(Exception):
    """A call that failed: .status is the number of aihls.h, .name its name without AIHLS_."""

    def __init__(self, status, text):
        self.status, self.name = status, STATUS[status] if status < len(STATUS) else str(status)
        super().__init__("%s (%s)" % (text, self.name))


def _tensors(lib, net, which, ports):
    count, tensor = lib["aihls_%s_count" % which], lib["aihls_%s_tensor" % which]
    tensor.restype = c.POINTER(_Tensor)
    out = []
    for i in range(count(c.byref(net))):
        t = tensor(c.byref(net), i).contents
        wire = (None, None) if net.host else (ports[i].scale, ports[i].zero_point)
        out.append((t.type, Tensor(t.name.decode(), np.dtype(DTYPES[t.type]), tuple(t.dims[:t.rank]), *wire)))
    return [kind for kind, _ in out], [t for _, t in out]


class Network:
    """A network, open on a back end. inputs, outputs: Tensor for each; labels: names of the classes or None; backend: its name;
    clock_hz, frame_cycles, latency_cycles: as predicted; last_frame: (latency, interval) in cycles of the frame waited for last."""

    def __init__(self, library, name, backend=None, queue_frames=0):
        self._handle = c.c_void_p()
        self._lib = lib = c.CDLL(str(library))
        lib.aihls_status_text.restype = c.c_char_p
        find = lib[name + "_backend"]
        find.restype, find.argtypes = c.c_void_p, [c.c_char_p]
        names = [backend] if backend else ["linux", "simulation", "reference"]
        net = _Network.in_dll(lib, name + "_network")
        if net.interface != INTERFACE:
            raise Error(STATUS.index("E_INTERFACE"), "the library has interface %d, aihls.py %d" % (net.interface, INTERFACE))
        self.name, self.model_sha256 = net.name.decode(), net.model_sha256.decode()
        self._in_types, self.inputs = _tensors(lib, net, "input", net.inputs)
        self._out_types, self.outputs = _tensors(lib, net, "output", net.outputs)
        self.labels = [net.labels[i].decode() for i in range(net.n_classes)] if net.labels else None
        self.clock_hz, self.frame_cycles, self.latency_cycles = net.clock_hz, net.frame_cycles, net.latency_cycles
        self.last_frame = (0, 0)
        self._weights = []
        options = _Options(queue_frames, None, None, None)
        for i, b in enumerate(names):
            status = lib.aihls_open(c.byref(net), c.c_void_p(find(b.encode())), c.byref(options), c.byref(self._handle))
            # without a name of a back end: the next one where there is no such device or build
            if status != STATUS.index("E_BACKEND") or i + 1 == len(names):
                break
        self._check(status)
        self.backend = b

    def _check(self, status):
        if status:
            raise Error(status, self._lib.aihls_status_text(status).decode())

    def _inputs(self, arrays):
        if len(arrays) != len(self.inputs):
            raise ValueError("%d arrays, the network has %d inputs" % (len(arrays), len(self.inputs)))
        data = (_Data * len(arrays))()
        keep = []
        for i, (x, t) in enumerate(zip(arrays, self.inputs)):
            x = np.asarray(x)
            if x.dtype != t.dtype:
                raise TypeError("input %s takes %s, not %s" % (t.name, t.dtype, x.dtype))
            if x.shape != t.shape:
                raise ValueError("input %s takes shape %s, not %s" % (t.name, t.shape, x.shape))
            x = np.ascontiguousarray(x)
            keep.append(x)
            data[i] = _Data(x.ctypes.data, self._in_types[i], x.size)
        return data, keep

    def submit(self, *arrays):
        """Starts a frame, an array for each input, and gives its ticket. Error E_FULL: wait for one first."""
        data, keep = self._inputs(arrays)
        ticket = c.c_uint64()
        self._check(self._lib.aihls_submit(self._handle, data, len(keep), c.byref(ticket)))
        return ticket.value

    def wait(self, ticket, timeout=None):
        """The result of a frame: an array, or a tuple of them where there are several outputs. timeout: seconds, None for ever;
        after Error E_TIMEOUT the frame is still there."""
        out = [np.empty(t.shape, t.dtype) for t in self.outputs]
        data = (_Data * len(out))(*[_Data(y.ctypes.data, self._out_types[i], y.size) for i, y in enumerate(out)])
        frame = _Frame()
        self._check(self._lib.aihls_wait(self._handle, c.c_uint64(ticket), data, len(out), c.c_int64(-1 if timeout is None else round(timeout * 1e6)), c.byref(frame)))
        self.last_frame = (frame.latency_cycles, frame.interval_cycles)
        return out[0] if len(out) == 1 else tuple(out)

    def run(self, *arrays):
        """One frame, start to end."""
        return self.wait(self.submit(*arrays))

    def poll(self):
        """Lets the device work without waiting; the ticket of the oldest frame that is done, or None."""
        ticket = c.c_uint64()
        status = self._lib.aihls_poll(self._handle, c.byref(ticket))
        if status in (STATUS.index("E_TIMEOUT"), STATUS.index("E_EMPTY")):
            return None
        self._check(status)
        return ticket.value

    def reload(self, weights):
        """Other weights (bytes, as in another model's NAME_weights.bin) for hardware that was compiled with --reloadable."""
        kept = c.create_string_buffer(bytes(weights), len(weights))
        self._weights.append(kept)  # the library reads them whenever it resets the device
        self._check(self._lib.aihls_reload(self._handle, kept, c.c_size_t(len(weights))))
        self._weights = [kept]

    def statistics(self):
        s = _Statistics()
        self._check(self._lib.aihls_read_statistics(self._handle, c.byref(s)))
        return Statistics(*[getattr(s, n) for n in Statistics._fields])

    def close(self):
        """Stops the device; frames that are under way are dropped. A second time does nothing."""
        if self._handle:
            self._check(self._lib.aihls_close(c.byref(self._handle)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __del__(self):
        self.close()
