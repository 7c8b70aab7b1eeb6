// SPDX-License-Identifier: Apache-2.0
// aihls: runs frames through a network that aihls compiled, on whatever carries it: simulated Verilog, the C
// reference, a board. The compiler writes the network's description (NAME.h); this library knows none by name.
//
//     struct aihls *a;
//     aihls_open(&digits_network, digits_backend("simulation"), NULL, &a);
//     digits_run(a, image, scores);                 // one frame, blocking; or queue several:
//     aihls_submit(a, &input, 1, &ticket);          // copies and converts the input, starts the frame
//     aihls_wait(a, ticket, &output, 1, -1, NULL);  // converts the result into the caller's memory
//     aihls_close(&a);
//
// Ownership: the library keeps no pointer to anything that a caller passes, but for the network, the back end and
// the memory of aihls_open_in, which must outlive the handle.
// Threads: a handle belongs to one thread at a time; handles are independent of each other. There are no globals.
// Errors: every function but those that only describe gives a status; nothing is printed, nothing aborts.
#ifndef AIHLS_H
#define AIHLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIHLS_INTERFACE 3 // of the generated description; aihls_open compares

enum aihls_status {
    AIHLS_OK = 0,
    AIHLS_E_NULL,      // an argument that must not be NULL is
    AIHLS_E_ARGUMENT,  // an option or a port number out of range
    AIHLS_E_SHAPE,     // not the number of tensors, elements or bytes that the network has
    AIHLS_E_TYPE,      // not the element type that the network has
    AIHLS_E_FULL,      // every slot of the queue holds a frame: wait for one first
    AIHLS_E_EMPTY,     // no frame is in the queue
    AIHLS_E_TICKET,    // no such frame: never submitted, or its result was taken
    AIHLS_E_TIMEOUT,   // not done yet; the frame stays in the queue
    AIHLS_E_CLOSED,    // the handle is closed
    AIHLS_E_BACKEND,   // the back end is not in this build, or cannot start
    AIHLS_E_MEMORY,    // not enough, or not aligned
    AIHLS_E_INTERFACE, // description and library are of different versions
    AIHLS_E_DEVICE,    // the device stopped answering or reported an error; the frame is lost
    AIHLS_E_BITSTREAM, // the device holds another network, or another version of the accelerator
    AIHLS_E_BUSY,      // another program uses the device; or frames are under way (aihls_reload)
    AIHLS_STATUS_COUNT
};

const char *aihls_status_text(enum aihls_status s); // one line without a full stop, never NULL

// Element types by ONNX's numbers, and one of our own.
enum aihls_type {
    AIHLS_FLOAT32 = 1,
    AIHLS_UINT8 = 2,
    AIHLS_INT8 = 3,
    AIHLS_UINT16 = 4,
    AIHLS_INT16 = 5,
    AIHLS_INT32 = 6,
    AIHLS_INT64 = 7,
    AIHLS_BOOL = 9,
    AIHLS_FLOAT16 = 10, // as uint16_t
    AIHLS_FLOAT64 = 11,
    AIHLS_UINT32 = 12,
    AIHLS_UINT64 = 13,
    AIHLS_BFLOAT16 = 16, // as uint16_t
    AIHLS_STREAM = 100 // bytes as they are on the wire, see struct aihls_port
};

size_t aihls_type_bytes(enum aihls_type t); // of an element; 0 for what is no type

// ---- the description, written by the compiler ----

#define AIHLS_MAX_RANK 8

// A tensor of the model: dense, row major, in the model's own order of dimensions.
struct aihls_tensor {
    const char *name;
    enum aihls_type type;
    int32_t rank, dims[AIHLS_MAX_RANK];
    int32_t count; // of elements
};

// An input or output: the model's tensor, and the stream that carries it.
//
// A stream is an image in raster order, y, x, channel, of int8 elements that stand for scale * (q - zero_point).
// It moves in beats of `lanes` elements. A pixel begins with a beat: its last one may have unused lanes, which
// are zero. bytes = height * width * ceil(channels / lanes) * lanes.
struct aihls_port {
    struct aihls_tensor tensor;
    double scale;
    int32_t zero_point;
    int32_t height, width, channels, lanes;
    int32_t bytes; // of a frame on the wire
    const struct aihls_border *border; // how the two are converted, see aihls_border.h
};

//
// Where the processor computes a part of the network (`host`), inputs and outputs are those of the accelerator, and the model's
// own tensors stand in `host`; aihls_input_tensor and its kin tell of the model's in either case.
struct aihls_network {
    int32_t interface; // AIHLS_INTERFACE
    const char *name;
    const char *model_sha256; // of the model's file, hexadecimal; compiled with --reloadable: of the hardware without its weights
    int32_t n_inputs, n_outputs;
    const struct aihls_port *inputs, *outputs;
    int32_t n_classes;    // of a classifier's first output: the size of the axis that scores stand on; else all its elements
    const char *const *labels; // [n_classes] names of the classes, UTF-8; NULL when the compiler was given none
    int64_t clock_hz;     // on the board it was compiled for
    int64_t frame_cycles; // predicted: frames follow each other at this distance
    int64_t latency_cycles;
    int32_t scratch_bytes; // the largest tensor between model and stream
    const uint8_t *code; // what the hardware must be given behind a reset, code_bytes; NULL: nothing. Back ends do it
    int32_t code_bytes;
    const struct aihls_host *host; // see aihls_host.h; NULL: the processor computes nothing but what stands at the ports
};

// The model's own inputs and outputs.
int32_t aihls_input_count(const struct aihls_network *net);
int32_t aihls_output_count(const struct aihls_network *net);
const struct aihls_tensor *aihls_input_tensor(const struct aihls_network *net, int32_t i);
const struct aihls_tensor *aihls_output_tensor(const struct aihls_network *net, int32_t i);

// ---- life cycle ----

struct aihls_backend; // a way to run networks, see aihls_backend.h; NAME.h says which there are
struct aihls;

// Zero means the default for every field; further fields will follow these.
struct aihls_options {
    int32_t queue_frames; // frames that may be submitted and not yet waited for; [4], at most 65,536; "linux", "bare": 16
    // Called once for each frame when it is found to be done or lost, in order, from inside aihls_submit, aihls_poll and
    // aihls_wait, in the caller's thread. It must not call the library with this handle.
    void (*on_done)(void *user, uint64_t ticket);
    void *user;
    // Which device; what it points to, the header of the back end says (aihls_linux.h, aihls_bare.h). NULL: the back end
    // finds one. Read during open only.
    const void *device;
};

// Memory from malloc. *out is NULL after an error. backend NULL: E_BACKEND, so that the result of NAME_backend can
// be passed as it is. options may be NULL.
enum aihls_status aihls_open(const struct aihls_network *net, const struct aihls_backend *backend,
                             const struct aihls_options *options, struct aihls **out);

// The same without malloc: in the caller's memory of at least aihls_memory_bytes bytes, aligned to AIHLS_ALIGNMENT.
#define AIHLS_ALIGNMENT 16
size_t aihls_memory_bytes(const struct aihls_network *net, const struct aihls_backend *backend, const struct aihls_options *options);
enum aihls_status aihls_open_in(void *memory, size_t n_bytes, const struct aihls_network *net, const struct aihls_backend *backend,
                                const struct aihls_options *options, struct aihls **out);

// Stops the device, drops frames that are under way and sets *a to NULL. A second time: E_CLOSED.
enum aihls_status aihls_close(struct aihls **a);

// Other weights for hardware that was compiled with --reloadable: `file` is the contents of another model's NAME_weights.bin, and
// stays as it is until it is replaced or the device closed. Resets the device, and takes as long as aihls_open. The back end
// "reference" has none: E_BACKEND. E_ARGUMENT: not such a file, or damaged; E_BITSTREAM: made for other hardware (another shape, other scales);
// E_BUSY: frames are under way. After these four the old weights stay.
#define AIHLS_WEIGHTS_HEADER_BYTES 44 // "AIHLSWTS", SHA-256 as in struct aihls_network, number of bytes behind (little endian)
enum aihls_status aihls_reload(struct aihls *a, const void *file, size_t n_bytes);

// NULL when closed.
const struct aihls_network *aihls_describe(const struct aihls *a);

// ---- frames ----

// Element type and count must be the port's; with AIHLS_STREAM, data are bytes of the wire and count is port->bytes.
struct aihls_input {
    const void *data;
    enum aihls_type type;
    int32_t count;
};
struct aihls_output {
    void *data;
    enum aihls_type type;
    int32_t count;
};

// What is known of a frame that is done. Cycles are of the accelerator's clock, 0 where there is none.
struct aihls_frame {
    int64_t latency_cycles;  // first beat in to last beat out
    int64_t interval_cycles; // since the end of the frame before; 0 for the first
};

// Converts a frame, n = aihls_input_count tensors, into a free slot of the queue and starts it; the caller's data may change
// when this returns. *ticket names the frame: 1, 2, … E_FULL when there is no free slot, nothing happens then.
// With a host part, its operators in front of the accelerator run in here; where a frame needs several runs of the accelerator, this
// waits for all of them but the last, and tickets skip a number for each. AIHLS_STREAM is E_TYPE then.
enum aihls_status aihls_submit(struct aihls *a, const struct aihls_input *inputs, int32_t n, uint64_t *ticket);

// Without a copy: *wire is where input number `port` of the next frame will be read from its port's bytes in the form of the
// wire. Fill it and submit it as AIHLS_STREAM with that address. E_FULL when there is no free slot, E_ARGUMENT with a host part.
enum aihls_status aihls_input_buffer(struct aihls *a, int32_t port, void **wire);
// Where the result of a frame that is done is, in the form of the wire, until aihls_wait takes it (with outputs NULL, to
// drop it). E_TIMEOUT when it is not done, E_DEVICE when it is lost; both leave it there.
enum aihls_status aihls_output_buffer(struct aihls *a, uint64_t ticket, int32_t port, const void **wire);

// Lets the device work without waiting and gives the oldest frame that is done and not taken.
// E_TIMEOUT when none is done, E_EMPTY when none was submitted.
enum aihls_status aihls_poll(struct aihls *a, uint64_t *ticket);

// Waits for a frame, at most timeout_us microseconds (negative: for ever), converts its result into n =
// aihls_output_count tensors and frees its slot; with outputs NULL and n 0 the result is dropped. `frame` may be NULL. Frames may be
// waited for in any order. After E_TIMEOUT, E_SHAPE, E_TYPE and E_NULL the frame is still there; after E_DEVICE
// it is gone.
enum aihls_status aihls_wait(struct aihls *a, uint64_t ticket, const struct aihls_output *outputs, int32_t n, int64_t timeout_us,
                             struct aihls_frame *frame);

// Submits one frame and waits for it. E_FULL as in aihls_submit.
enum aihls_status aihls_run(struct aihls *a, const struct aihls_input *inputs, int32_t n_in, const struct aihls_output *outputs, int32_t n_out,
                            struct aihls_frame *frame);

// ---- conversion alone, for callers that keep frames in the form of the wire ----

// Input number `port` as the model has it -> n_bytes = its port's bytes of the wire.
enum aihls_status aihls_quantize(struct aihls *a, int32_t port, const struct aihls_input *input, void *wire, size_t n_bytes);
// Bytes of the wire of output number `port` -> the model's output, final operators (Softmax, ArgMax) included.
enum aihls_status aihls_dequantize(struct aihls *a, int32_t port, const void *wire, size_t n_bytes, const struct aihls_output *output);

// ---- statistics ----

struct aihls_statistics {
    int64_t submitted, done, lost; // frames; done and lost as far as the library has seen
    int64_t cycles;                // the device's clock since it was opened, 0 where there is none
    int64_t bytes_in, bytes_out;   // on the wire
};
enum aihls_status aihls_read_statistics(const struct aihls *a, struct aihls_statistics *out);

#ifdef __cplusplus
}
#endif
#endif
