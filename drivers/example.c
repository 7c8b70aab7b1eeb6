// SPDX-License-Identifier: Apache-2.0
// example: classifies image files.
//
//     example [--backend NAME] [--range LOW,HIGH] [--weights FILE] FILE...
//
// FILE is PGM or PPM, P2, P3, P5 or P6, of the network's height, width and 1 or 3 channels; or .npy with one or more
// frames of the input's element type. --backend: "simulation" or "reference" [simulation, if it was built], or one of a board:
// "linux", "serial", "spi".
// --range: what the network takes for black and white [0,255]; .npy files are taken as they are. --weights: those of another model,
// NAME_weights.bin, for hardware compiled with --reloadable. For each frame:
// file, class, its score, its label, time for the frame, cycles of the accelerator. The network has one input; of several outputs
// the first is shown.
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct frames {
    int64_t n;
    void *data; // n tensors; NULL: the file could not be read
};

static bool complain(const char *file, const char *what)
{
    fprintf(stderr, "%s: %s\n", file, what);
    return false;
}

// ---- tensors of any element type ----

static void set_element(void *data, enum aihls_type t, int64_t i, double v)
{
    switch (t) {
    case AIHLS_FLOAT32: ((float *)data)[i] = (float)v; break;
    case AIHLS_UINT8: ((uint8_t *)data)[i] = (uint8_t)lrint(fmin(fmax(v, 0), UINT8_MAX)); break;
    case AIHLS_INT8: ((int8_t *)data)[i] = (int8_t)lrint(fmin(fmax(v, INT8_MIN), INT8_MAX)); break;
    default: fprintf(stderr, "this example makes no images of element type %d\n", (int)t); exit(1);
    }
}

static double element(const void *data, enum aihls_type t, int64_t i)
{
    switch (t) {
    case AIHLS_FLOAT32: return ((const float *)data)[i];
    case AIHLS_UINT8: return ((const uint8_t *)data)[i];
    case AIHLS_INT8: return ((const int8_t *)data)[i];
    case AIHLS_INT64: return (double)((const int64_t *)data)[i];
    default: fprintf(stderr, "this example shows no results of element type %d\n", (int)t); exit(1);
    }
}

// ---- PGM and PPM ----

// The next number of a header or of a text image: white space and comments in front of it are skipped.
static int next_number(FILE *f)
{
    int c = getc(f), n = 0;
    for (; isspace(c) || c == '#'; c = getc(f))
        if (c == '#')
            while ((c = getc(f)) != '\n' && c != EOF)
                ;
    if (!isdigit(c))
        return -1;
    for (; isdigit(c) && n < 1000000; c = getc(f)) // the byte behind the number is used up, as the format says
        n = 10 * n + (c - '0');
    return n;
}

static int next_sample(FILE *f, bool text, int max)
{
    if (text)
        return next_number(f);
    int high = max > 255 ? getc(f) : 0, low = getc(f);
    return high == EOF || low == EOF ? -1 : 256 * high + low;
}

// Whether the tensor has the channel in front of height and width, as ONNX wants it, or behind them.
static bool channel_first(const struct aihls_tensor *t, int channels, int height, int width)
{
    return t->rank >= 3 && t->dims[t->rank - 3] == channels && t->dims[t->rank - 2] == height && t->dims[t->rank - 1] == width;
}

static struct frames read_image(const char *file, FILE *f, const struct aihls_tensor *t, double low, double high)
{
    int kind = getc(f) - '0', width = next_number(f), height = next_number(f), max = next_number(f);
    int channels = kind == 3 || kind == 6 ? 3 : 1;
    struct frames none = { 0, NULL };
    if ((kind != 2 && kind != 3 && kind != 5 && kind != 6) || width < 1 || height < 1 || max < 1 || max > 65535)
        return complain(file, "no PGM or PPM image"), none;
    if ((int64_t)width * height * channels != t->count)
        return complain(file, "the image has not the size of the network's input"), none;
    bool first = channel_first(t, channels, height, width);
    struct frames r = { 1, calloc((size_t)t->count, aihls_type_bytes(t->type)) };
    for (int i = 0; r.data && i < t->count; i++) {
        int v = next_sample(f, kind < 4, max), pixel = i / channels, c = i % channels;
        if (v < 0 || v > max) {
            complain(file, "the image ends early or is damaged");
            free(r.data);
            return none;
        }
        set_element(r.data, t->type, first ? (int64_t)c * width * height + pixel : i, low + (high - low) * v / max);
    }
    return r;
}

// ---- .npy ----

static struct frames read_npy(const char *file, FILE *f, const struct aihls_tensor *t)
{
    struct frames none = { 0, NULL };
    unsigned char start[10]; // magic, version, length of the header; versions 2 and 3 have a longer length
    char header[1024];
    size_t n_header = 0;
    if (fread(start, 1, 10, f) == 10 && start[6] == 1)
        n_header = start[8] + 256u * start[9];
    if (!n_header || n_header >= sizeof header || fread(header, 1, n_header, f) != n_header)
        return complain(file, "no .npy file of format 1.0"), none;
    header[n_header] = 0;
    const char *descr = t->type == AIHLS_FLOAT32 ? "'<f4'" : t->type == AIHLS_UINT8 ? "'|u1'" : t->type == AIHLS_INT8 ? "'|i1'" : "?";
    const char *shape = strstr(header, "'shape': (");
    if (!shape || !strstr(header, "'fortran_order': False") || !strstr(header, descr))
        return complain(file, "not the element type of the network's input, or in Fortran order"), none;
    int64_t count = 1;
    for (const char *p = shape + 10; *p && *p != ')' && count < INT32_MAX; p++)
        if (isdigit((unsigned char)*p)) {
            char *end;
            long n = strtol(p, &end, 10);
            count *= n < INT32_MAX ? n : INT32_MAX; // both factors are below 2^31
            p = end - 1;
        }
    if (count < 1 || count % t->count)
        return complain(file, "not a whole number of frames"), none;
    size_t bytes = aihls_type_bytes(t->type);
    struct frames r = { count / t->count, calloc((size_t)count, bytes) };
    if (r.data && fread(r.data, bytes, (size_t)count, f) == (size_t)count)
        return r;
    free(r.data);
    return complain(file, "the array ends early"), none;
}

static struct frames read_frames(const char *file, const struct aihls_tensor *t, double low, double high)
{
    struct frames r = { 0, NULL };
    FILE *f = fopen(file, "rb");
    if (!f)
        return complain(file, "cannot be opened"), r;
    int c = getc(f);
    if (c == 'P') {
        r = read_image(file, f, t, low, high);
    } else {
        ungetc(c, f);
        r = read_npy(file, f, t);
    }
    fclose(f);
    return r;
}

// ---- classification ----

static double milliseconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

// The frame's class and its score; a network that ends with ArgMax gives the class alone.
static void print_result(const char *file, const struct aihls_network *net, const void *scores, double ms, const struct aihls_frame *frame)
{
    const struct aihls_tensor *t = aihls_output_tensor(net, 0);
    int32_t best = 0;
    for (int32_t i = 1; i < t->count; i++)
        if (element(scores, t->type, i) > element(scores, t->type, best))
            best = i;
    if (t->type == AIHLS_INT64) {
        best = (int32_t)element(scores, t->type, 0);
        printf("%s: class %d", file, (int)best);
    } else {
        printf("%s: class %d score %.9g", file, (int)best, element(scores, t->type, best));
    }
    if (net->labels && best >= 0 && best < net->n_classes)
        printf(" label %s", net->labels[best]);
    printf(" time %.3f ms", ms);
    if (frame->latency_cycles)
        printf(" cycles %lld", (long long)frame->latency_cycles);
    putchar('\n');
}

// Memory for every output; false when there is not enough. The caller frees data and the array in any case.
static bool make_outputs(const struct aihls_network *net, struct aihls_output *outputs)
{
    bool ok = outputs;
    for (int32_t i = 0; ok && i < aihls_output_count(net); i++) {
        const struct aihls_tensor *t = aihls_output_tensor(net, i);
        outputs[i] = (struct aihls_output){ calloc((size_t)t->count, aihls_type_bytes(t->type)), t->type, t->count };
        ok = outputs[i].data;
    }
    return ok;
}

static bool classify(struct aihls *a, const char *file, double low, double high)
{
    const struct aihls_network *net = aihls_describe(a);
    const struct aihls_tensor *in = aihls_input_tensor(net, 0);
    struct frames x = read_frames(file, in, low, high);
    struct aihls_output *outputs = calloc((size_t)aihls_output_count(net), sizeof *outputs);
    bool ok = make_outputs(net, outputs) && x.data;
    for (int64_t i = 0; ok && i < x.n; i++) {
        struct aihls_input input = { (const char *)x.data + (size_t)i * (size_t)in->count * aihls_type_bytes(in->type), in->type, in->count };
        struct aihls_frame frame;
        double start = milliseconds();
        enum aihls_status s = aihls_run(a, &input, 1, outputs, aihls_output_count(net), &frame);
        ok = s ? complain(file, aihls_status_text(s)) : true;
        if (ok)
            print_result(file, net, outputs[0].data, milliseconds() - start, &frame);
    }
    for (int32_t i = 0; outputs && i < aihls_output_count(net); i++)
        free(outputs[i].data);
    free(outputs);
    free(x.data);
    return ok;
}

// The whole file; NULL after a message. The caller frees it, when the device that has it is closed.
static void *read_weights(const char *file, size_t *n)
{
    FILE *f = fopen(file, "rb");
    void *bytes = NULL;
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (size > 0 && fseek(f, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)size);
    if (bytes && fread(bytes, 1, (size_t)size, f) != (size_t)size) {
        free(bytes);
        bytes = NULL;
    }
    if (f)
        fclose(f);
    if (!bytes)
        complain(file, "cannot be read");
    *n = bytes ? (size_t)size : 0;
    return bytes;
}

int main(int argc, char **argv)
{
    const char *name = BACKEND("simulation") ? "simulation" : "reference";
    const char *weights = NULL;
    double low = 0, high = 255;
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--backend") == 0)
            name = argv[i + 1];
        else if (strcmp(argv[i], "--weights") == 0)
            weights = argv[i + 1];
        else if (strcmp(argv[i], "--range") != 0 || sscanf(argv[i + 1], "%lf,%lf", &low, &high) != 2)
            break;
    }
    if (i >= argc || strncmp(argv[i], "--", 2) == 0) {
        fprintf(stderr, "usage: %s [--backend simulation|reference|linux|serial|spi] [--range LOW,HIGH] [--weights FILE] FILE.pgm|.ppm|.npy...\n", argv[0]);
        return 2;
    }
    if (aihls_input_count(&NETWORK) != 1)
        return complain(NETWORK.name, "this example has images for one input only"), 1;
    struct aihls *a;
    enum aihls_status s = aihls_open(&NETWORK, BACKEND(name), NULL, &a);
    if (s)
        return complain(name, aihls_status_text(s)), 1;
    bool ok = true;
    size_t n_bytes = 0;
    void *bytes = weights ? read_weights(weights, &n_bytes) : NULL;
    if (bytes)
        s = aihls_reload(a, bytes, n_bytes);
    if (s)
        complain(weights, aihls_status_text(s));
    bool right = !s && (bytes || !weights); // else these weights would not be what computes
    for (ok = right; right && i < argc; i++)
        ok &= classify(a, argv[i], low, high);
    aihls_close(&a);
    free(bytes);
    return ok ? 0 : 1;
}
