// SPDX-License-Identifier: Apache-2.0
#include "tests/support/parted.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })

static float numbers[65536];

static void constant(const char *name, int rank, const int64_t *dims, double scale)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    ASSERT(n <= (int64_t)(sizeof numbers / sizeof *numbers));
    for (int64_t i = 0; i < n; i++)
        numbers[i] = (float)(scale * random_int(-100, 100) / 100);
    model_f32(m, name, rank, dims, numbers);
}

void parted_conv(const char *x, const char *y)
{
    char name[64], in[128];
    snprintf(name, sizeof name, "%s_w", y);
    constant(name, 4, DIMS(8, 8, 3, 3), 0.2);
    snprintf(in, sizeof in, "%s %s", x, name);
    model_node(m, "Conv", in, y);
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
}

void parted_image(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 8, 16, 16));
}

void parted_all_in_hardware(void)
{
    parted_image();
    parted_conv("x", "a");
    model_node(m, "Relu", "a", "b");
    parted_conv("b", "y");
    model_output(m, "y");
}

void parted_norm_between(void)
{
    parted_image();
    parted_conv("x", "a");
    constant("s", 1, DIMS(16), 1);
    model_node(m, "LayerNormalization", "a s", "n");
    parted_conv("n", "y");
    model_output(m, "y");
}

void parted_host_alone(void)
{
    parted_image();
    model_i64(m, "axis", 1, DIMS(2));
    model_i64(m, "volume", 5, DIMS(1, 2, 4, 16, 16));
    model_i64(m, "lines", 3, DIMS(4, 196, 2));
    model_node(m, "Sinh", "x", "a");
    model_node(m, "MatMul", "a x", "b");
    model_node(m, "Softmax", "b", "s");
    model_node(m, "CumSum", "s axis", "c");
    model_node(m, "Reshape", "c volume", "v");
    constant("w", 5, DIMS(2, 2, 1, 3, 3), 1);
    model_node(m, "Conv", "v w", "k");
    model_node(m, "Reshape", "k lines", "l");
    model_node(m, "DFT", "l", "y");
    model_output(m, "y");
}

// Bodies live as long as the model does; the next call of parted_control frees them.
static struct model *new_body(int i)
{
    static struct model *bodies[4];
    if (bodies[i])
        model_free(bodies[i]);
    return bodies[i] = model_new(17);
}

void parted_control(void)
{
    struct model *then = new_body(0), *otherwise = new_body(1), *step = new_body(2), *again = new_body(3);
    parted_image();
    parted_conv("x", "a");
    model_node(m, "ReduceMean", "x", "mean");
    model_int(m, "keepdims", 0);
    model_f32(m, "zero", 0, NULL, (float[]){ 0 });
    model_node(m, "Greater", "mean zero", "c");
    model_node(then, "Relu", "a", "t");
    model_output(then, "t");
    model_node(otherwise, "Sinh", "a", "e");
    model_output(otherwise, "e");
    model_node(m, "If", "c", "b");
    model_body(m, "then_branch", then);
    model_body(m, "else_branch", otherwise);
    // a recurrence over the channels
    model_node(m, "GlobalAveragePool", "b", "g");
    model_f32(m, "first", 3, DIMS(1, 1, 1), (float[]){ 0.5f });
    model_input(step, "state", DT_FLOAT, -1, NULL);
    model_input(step, "item", DT_FLOAT, -1, NULL);
    model_node(step, "Add", "state item", "sum");
    model_node(step, "Tanh", "sum", "next");
    model_node(step, "Identity", "next", "copy");
    model_output(step, "next");
    model_output(step, "copy");
    model_node(m, "Scan", "first g", "last all");
    model_body(m, "body", step);
    model_int(m, "num_scan_inputs", 1);
    model_ints(m, "scan_input_axes", 1, DIMS(1));
    model_ints(m, "scan_output_axes", 1, DIMS(1));
    // halves until small enough
    model_i64(m, "most", 1, DIMS(5));
    model_input(again, "i", DT_INT64, 0, NULL);
    model_input(again, "go", DT_BOOL, 0, NULL);
    model_input(again, "v", DT_FLOAT, -1, NULL);
    model_f32(again, "half", 0, NULL, (float[]){ 0.5f });
    model_f32(again, "small", 0, NULL, (float[]){ 0.1f });
    model_node(again, "Mul", "v half", "less");
    model_node(again, "ReduceMax", "less", "top");
    model_int(again, "keepdims", 0);
    model_node(again, "Greater", "top small", "go_on");
    model_output(again, "go_on");
    model_output(again, "less");
    model_node(m, "Loop", "most - all", "h");
    model_body(m, "body", again);
    model_node(m, "RandomUniformLike", "h", "r");
    model_node(m, "RandomNormal", "", "noise"); // depends on no input
    model_ints(m, "shape", 4, DIMS(1, 8, 1, 1));
    model_node(m, "Sum", "h r noise", "n");
    model_node(m, "Mul", "b n", "p");
    model_node(m, "LRN", "b", "z"); // zeros, from a number that C writes as a word
    model_int(m, "size", 1);
    model_float(m, "bias", INFINITY);
    model_node(m, "Add", "p z", "y");
    model_output(m, "y");
}

// parted_conv with weights of eight bits.
static void quant_conv(const char *x, const char *y)
{
    char names[3][64];
    snprintf(names[0], sizeof names[0], "%s_w", y);
    snprintf(names[1], sizeof names[1], "%s_w fine none eight", y);
    snprintf(names[2], sizeof names[2], "%s %s_wq", x, y);
    constant(names[0], 4, DIMS(8, 8, 3, 3), 0.2);
    snprintf(names[0], sizeof names[0], "%s_wq", y);
    model_node(m, "qonnx.custom_op.general:Quant", names[1], names[0]);
    model_node(m, "Conv", names[2], y);
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
}

void parted_wide_quant(void)
{
    const char *quant = "qonnx.custom_op.general:Quant";
    model_f32(m, "fine", 0, NULL, &(float){ 0.01f });
    model_f32(m, "coarse", 0, NULL, &(float){ 0.05f });
    model_f32(m, "none", 0, NULL, &(float){ 0 });
    model_f32(m, "eight", 0, NULL, &(float){ 8 });
    model_f32(m, "twelve", 0, NULL, &(float){ 12 });
    parted_image();
    model_node(m, quant, "x fine none eight", "q");
    quant_conv("q", "a");
    model_node(m, quant, "a coarse none eight", "aq");
    model_node(m, quant, "aq fine none twelve", "w");
    model_node(m, quant, "w coarse none eight", "wq");
    quant_conv("wq", "b");
    model_node(m, quant, "b coarse none eight", "y");
    model_output(m, "y");
}

void parted_norm_with_a_way_around(void)
{
    parted_image();
    parted_conv("x", "a");
    model_node(m, "Softmax", "a", "n");
    parted_conv("n", "b");
    model_node(m, "Add", "a b", "c");
    parted_conv("c", "y");
    model_output(m, "y");
}

void parted_three_runs(void)
{
    parted_image();
    parted_conv("x", "a");
    model_node(m, "Softmax", "a", "n");
    parted_conv("n", "b");
    model_node(m, "Softmax", "b", "o");
    parted_conv("o", "y");
    model_output(m, "y");
}

void parted_host_in_front(void)
{
    parted_image();
    model_node(m, "Sinh", "x", "a");
    parted_conv("a", "y");
    model_output(m, "y");
}

void parted_host_output_beside(void)
{
    parted_image();
    parted_conv("x", "y");
    model_node(m, "Cosh", "x", "z");
    model_output(m, "z");
    model_output(m, "y");
}

void parted_attention(void)
{
    parted_image();
    parted_conv("x", "q");
    parted_conv("x", "k");
    parted_conv("x", "v");
    model_i64(m, "rows", 3, DIMS(1, 8, 256));
    model_node(m, "Reshape", "q rows", "qr");
    model_node(m, "Reshape", "k rows", "kr");
    model_node(m, "Reshape", "v rows", "vr");
    model_node(m, "Transpose", "kr", "kt");
    model_ints(m, "perm", 3, DIMS(0, 2, 1));
    model_node(m, "MatMul", "qr kt", "e");
    model_node(m, "Softmax", "e", "p");
    model_node(m, "MatMul", "p vr", "y");
    model_output(m, "y");
}

void parted_recurrent(void)
{
    parted_image();
    parted_conv("x", "a");
    model_i64(m, "steps", 3, DIMS(16, 1, 128));
    model_node(m, "Reshape", "a steps", "s");
    constant("w", 3, DIMS(1, 24, 128), 0.1);
    constant("r", 3, DIMS(1, 24, 8), 0.3);
    model_node(m, "GRU", "s w r", "- y");
    model_int(m, "hidden_size", 8);
    model_output(m, "y");
}

// Boxes and scores of 256 places, decoded, the best of them.
void parted_detector(void)
{
    parted_image();
    parted_conv("x", "f");
    model_i64(m, "shape", 3, DIMS(1, 8, 256));
    model_node(m, "Reshape", "f shape", "r");
    model_node(m, "Transpose", "r", "t");
    model_ints(m, "perm", 3, DIMS(0, 2, 1));
    model_i64(m, "parts", 2, DIMS(4, 4));
    model_node(m, "Split", "t parts", "o c");
    model_int(m, "axis", 2);
    model_node(m, "Softmax", "c", "p");
    constant("prior", 2, DIMS(256, 4), 2);
    model_node(m, "Exp", "o", "e");
    model_node(m, "Mul", "e prior", "d");
    model_node(m, "Add", "d prior", "boxes");
    model_node(m, "Transpose", "p", "scores");
    model_ints(m, "perm", 3, DIMS(0, 2, 1));
    model_i64(m, "most", 1, DIMS(3));
    model_f32(m, "iou", 0, NULL, (float[]){ 0.5f });
    model_f32(m, "least", 0, NULL, (float[]){ 0.3f });
    model_node(m, "NonMaxSuppression", "boxes scores most iou least", "best");
    model_output(m, "best");
    model_output(m, "boxes");
    model_output(m, "scores");
}

void parted_quantized(void)
{
    input(4, DIMS(1, 8, 16, 16), 0.02f, 3, DT_INT8);
    weights("w", 4, DIMS(8, 8, 3, 3), 8, 0, DT_INT8, false);
    model_node(m, "Conv", "x_d w", "a");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    qdq("a", 0.05f, -5, DT_INT8);
    model_node(m, "Sinh", "a_d", "b");
    qdq("b", 0.1f, 0, DT_INT8);
    weights("v", 4, DIMS(8, 8, 3, 3), 1, 0, DT_INT8, false);
    model_node(m, "Conv", "b_d v", "y");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    qdq("y", 4, 7, DT_INT8);
    model_output(m, "y_d");
}

void parted_random_model(void)
{
    static const char *const others[] = { "Softmax", "Sinh", "Cosh", "LpNormalization", "Hardmax", "InstanceNormalization", "Erf", "Relu" }; // the last two have hardware
    char last[32] = "x", older[32] = "x", name[32], in[96];
    parted_image();
    constant("one", 1, DIMS(8), 1);
    int n = random_int(2, 6);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "t%d", i);
        int kind = i == 0 ? 0 : i == 1 ? 2 : random_int(0, 3);
        if (kind < 2)
            parted_conv(last, name);
        else if (kind == 2) {
            const char *op = others[random_int(0, i == 1 ? 5 : 7)];
            snprintf(in, sizeof in, strcmp(op, "InstanceNormalization") == 0 ? "%s one one" : "%s", last);
            model_node(m, op, in, name);
        } else {
            snprintf(in, sizeof in, "%s %s", last, older);
            model_node(m, "Add", in, name);
        }
        if (random_int(0, 1))
            memcpy(older, last, sizeof older);
        memcpy(last, name, sizeof last);
    }
    parted_conv(last, "y");
    model_output(m, "y");
}
