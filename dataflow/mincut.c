// SPDX-License-Identifier: Apache-2.0
#include "dataflow/mincut.h"

#include <string.h>

#include "base/check.h"

struct arc {
    int to, next; // next: of the same vertex, -1: none. Arc i ^ 1 runs the other way.
    int64_t left; // capacity that is not used
};

struct mincut {
    struct arena *arena;
    int n, n_arcs, cap_arcs;
    struct arc *arcs;
    int *first, *now, *depth; // by vertex; now: the arc that the search has come to
    int *queue;               // also the path
};

struct mincut *mincut_new(struct arena *a, int n_vertices)
{
    struct mincut *m = arena_new(a, struct mincut);
    m->arena = a;
    m->n = n_vertices;
    m->first = arena_array(a, int, n_vertices);
    m->now = arena_array(a, int, n_vertices);
    m->depth = arena_array(a, int, n_vertices);
    m->queue = arena_array(a, int, n_vertices);
    for (int i = 0; i < n_vertices; i++)
        m->first[i] = -1;
    return m;
}

static void add_arc(struct mincut *m, int from, int to, int64_t capacity)
{
    struct arc arc = { to, m->first[from], capacity };
    m->first[from] = m->n_arcs;
    arena_push(m->arena, m->arcs, m->n_arcs, m->cap_arcs, arc);
}

void mincut_edge(struct mincut *m, int from, int to, int64_t capacity)
{
    ASSERT(capacity >= 0 && capacity <= MINCUT_NEVER);
    add_arc(m, from, to, capacity);
    add_arc(m, to, from, 0);
}

// Distances from the source over arcs with capacity left; -1: not reached.
static void measure(struct mincut *m, int source)
{
    int head = 0, tail = 0;
    for (int i = 0; i < m->n; i++)
        m->depth[i] = -1;
    m->depth[source] = 0;
    for (m->queue[tail++] = source; head < tail; head++)
        for (int i = m->first[m->queue[head]]; i >= 0; i = m->arcs[i].next)
            if (m->arcs[i].left > 0 && m->depth[m->arcs[i].to] < 0) {
                m->depth[m->arcs[i].to] = m->depth[m->queue[head]] + 1;
                m->queue[tail++] = m->arcs[i].to;
            }
}

// Fills the path of `n` arcs; gives the place of the first arc that is full then.
static int push(struct mincut *m, const int *path, int n)
{
    int64_t least = MINCUT_NEVER;
    int first = 0;
    for (int i = 0; i < n; i++)
        least = m->arcs[path[i]].left < least ? m->arcs[path[i]].left : least;
    for (int i = n - 1; i >= 0; i--) {
        m->arcs[path[i]].left -= least;
        m->arcs[path[i] ^ 1].left += least;
        first = m->arcs[path[i]].left == 0 ? i : first;
    }
    return first;
}

// Paths that get one step further from the source with each arc, until there is none.
static void block(struct mincut *m, int source, int sink)
{
    int at = source, n = 0, *path = m->queue;
    memcpy(m->now, m->first, (size_t)m->n * sizeof *m->now);
    for (;;) {
        if (at == sink) {
            n = push(m, path, n);
            at = m->arcs[path[n] ^ 1].to;
        }
        int i = m->now[at];
        while (i >= 0 && (m->arcs[i].left == 0 || m->depth[m->arcs[i].to] != m->depth[at] + 1))
            i = m->arcs[i].next;
        m->now[at] = i;
        if (i >= 0) {
            path[n++] = i;
            at = m->arcs[i].to;
        } else if (at == source) {
            return;
        } else { // a dead end
            m->depth[at] = -1;
            at = m->arcs[path[--n] ^ 1].to;
        }
    }
}

void mincut_solve(struct mincut *m, int source, int sink, bool *side)
{
    for (measure(m, source); m->depth[sink] >= 0; measure(m, source))
        block(m, source, sink);
    for (int i = 0; i < m->n; i++)
        side[i] = m->depth[i] >= 0;
}
