// SPDX-License-Identifier: Apache-2.0
// report_layout: where the boxes of a picture of a pipeline stand. A layered drawing (after Sugiyama, Tagawa, Toda,
// 1981): a box's row is the longest way to it, an edge over several rows takes a narrow place in each row in
// between, rows are ordered by the mean place of their neighbours, and places within a row are the least squares
// solution of "above its neighbours, and clear of the next".
//
//     row 0        [in]
//     row 1       [conv]
//     row 2    [conv]  |        <- the place that the skip takes
//     row 3       [add]
#ifndef AIHLS_REPORT_LAYOUT_H
#define AIHLS_REPORT_LAYOUT_H

#include "base/arena.h"

struct layout_edge {
    int from, to; // nodes
    int n_bends;  // rows between the two
    double *bends; // x in each of them
};

struct layout {
    int n_nodes, n_edges, n_rows;
    int *row;  // of each node
    double *x; // of each node, its middle; the leftmost thing is at half its width
    struct layout_edge *edges;
    double width;
};

// does      fills row, x, bends, n_rows and width
// requires  n_nodes, n_edges and the edges' ends, valid nodes each; edges that lead back along a cycle are let be: they
//           have no bends, and no part in the order of rows
// cost      a few milliseconds for a hundred nodes. Beyond LAYOUT_PLACES bends no edge has any.
#define LAYOUT_PLACES 20000
void layout_make(struct layout *l, struct arena *a, double node_width, double gap, double bend_width);

#endif
