// SPDX-License-Identifier: Apache-2.0
// choose: a multiple-choice knapsack. Costs are divided by their budgets, so a choice fits when all three sums are at
// most 1. For any weights w on the simplex, sum over stages of min over options of w*cost is a lower bound of w*sums:
// above 1 nothing fits. Multiplicative weights (Arora, Hazan, Kale, "The multiplicative weights update method", 2012)
// nearly always find either a choice that fits or such a proof. What is left is settled by dynamic programming over the
// stages: the states are the sums so far, a state goes when another is at most as dear in all three (which folds the
// permutations of equal layers into one) or when a bound of the rest shows that it leads nowhere.
#include "dataflow/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define WEIGHT_ROUNDS 300
#define FIRST_STATES 100 // per stage, of the first of the searches, which widen
#define MAX_STATES 20000 // per stage, of the last: a proof whether anything fits
#define LEAST_STATES 5000 // the same of the search for least resources, which may end at a good choice

typedef double shares_row[RESOURCES];

struct problem {
    int n; // stages
    const struct options *front;
    double budget[RESOURCES];
    shares_row **cost; // [stage][option], in shares of the budget
    double weight[4][RESOURCES];
    int n_weights;
    double *rest[4];  // [weight][stage]: lower bound of the stages from here on
    double *rest_sum; // the same for the plain sum, the objective
    double price[RESOURCES], *rest_price; // see find_prices
    int64_t nodes;
    int *best;
    double best_value;
};

static void shares(const struct problem *q, const struct cost *c, double *out)
{
    const double v[RESOURCES] = { (double)c->dsp, (double)c->bram18, (double)c->lut };
    for (int r = 0; r < RESOURCES; r++)
        out[r] = q->budget[r] > 0 ? v[r] / q->budget[r] : (v[r] > 0 ? 1e9 : 0);
}

static double dot(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static int cheapest(const struct problem *q, int stage, const double *w)
{
    int best = 0;
    for (int o = 1; o < q->front[stage].n; o++)
        if (dot(w, q->cost[stage][o]) < dot(w, q->cost[stage][best]))
            best = o;
    return best;
}

enum answer { FITS, NO_FIT, UNKNOWN };

static enum answer weigh(struct problem *q)
{
    double w[RESOURCES] = { 1.0 / 3, 1.0 / 3, 1.0 / 3 }, tightest = 0;
    for (int round = 0; round < WEIGHT_ROUNDS; round++) {
        double sum[RESOURCES] = { 0 };
        for (int s = 0; s < q->n; s++) {
            q->best[s] = cheapest(q, s, w);
            for (int r = 0; r < RESOURCES; r++)
                sum[r] += q->cost[s][q->best[s]][r];
        }
        if (sum[0] <= 1 && sum[1] <= 1 && sum[2] <= 1)
            return FITS;
        double bound = dot(w, sum);
        if (bound > 1 + 1e-9)
            return NO_FIT;
        if (bound > tightest) {
            tightest = bound;
            memcpy(q->weight[q->n_weights < 4 ? q->n_weights++ : 3], w, sizeof w);
        }
        double total = 0, rate = 0.5 / sqrt(1 + round);
        for (int r = 0; r < RESOURCES; r++) {
            double over = sum[r] - 1;
            w[r] *= exp(rate * (over > 2 ? 2 : over < -2 ? -2 : over));
            total += w[r];
        }
        for (int r = 0; r < RESOURCES; r++)
            w[r] /= total;
    }
    return UNKNOWN;
}

static void bounds(struct problem *q, struct arena *a)
{
    static const double plain[RESOURCES] = { 1, 1, 1 };
    q->rest_sum = arena_array(a, double, q->n + 1);
    for (int k = 0; k < q->n_weights; k++)
        q->rest[k] = arena_array(a, double, q->n + 1);
    for (int s = q->n - 1; s >= 0; s--) {
        q->rest_sum[s] = q->rest_sum[s + 1] + dot(plain, q->cost[s][cheapest(q, s, plain)]);
        for (int k = 0; k < q->n_weights; k++)
            q->rest[k][s] = q->rest[k][s + 1] + dot(q->weight[k], q->cost[s][cheapest(q, s, q->weight[k])]);
    }
}

// ---- the exact answer ----

struct state {
    int32_t used[RESOURCES]; // of budget units
    int32_t parent, option;  // in the previous stage's list
    double bound;            // of what it leads to: see may_lead
};

struct layer {
    struct state *items;
    int n;
};

static int by_cost(const void *a, const void *b)
{
    const struct state *x = a, *y = b;
    for (int r = 0; r < RESOURCES; r++)
        if (x->used[r] != y->used[r])
            return x->used[r] < y->used[r] ? -1 : 1;
    return 0;
}

static int by_bound(const void *a, const void *b)
{
    const struct state *x = a, *y = b;
    return x->bound != y->bound ? (x->bound < y->bound ? -1 : 1) : by_cost(a, b);
}

// The sum of shares plus a price for each, w - 1, is a lower bound of the sum of shares once the price of the whole
// budget is taken off (Lagrangian relaxation). Subgradient steps raise it; q->price and q->rest_price receive the best.
// The choices on the way that fit are good ones: the best replaces q->best.
static void find_prices(struct problem *q, struct arena *a)
{
    double price[RESOURCES] = { 0 }, best = -1;
    int *choice = arena_array(a, int, q->n);
    q->rest_price = arena_array(a, double, q->n + 1);
    for (int round = 0; round < WEIGHT_ROUNDS; round++) {
        double w[RESOURCES], sum[RESOURCES] = { 0 }, bound = 0;
        for (int r = 0; r < RESOURCES; r++)
            w[r] = 1 + price[r];
        for (int s = 0; s < q->n; s++) {
            choice[s] = cheapest(q, s, w);
            bound += dot(w, q->cost[s][choice[s]]);
            for (int r = 0; r < RESOURCES; r++)
                sum[r] += q->cost[s][choice[s]][r];
        }
        bound -= price[0] + price[1] + price[2];
        if (bound > best) {
            best = bound;
            memcpy(q->price, price, sizeof price);
        }
        if (sum[0] <= 1 && sum[1] <= 1 && sum[2] <= 1 && sum[0] + sum[1] + sum[2] < q->best_value) {
            q->best_value = sum[0] + sum[1] + sum[2];
            memcpy(q->best, choice, (size_t)q->n * sizeof *choice);
        }
        for (int r = 0; r < RESOURCES; r++)
            price[r] = fmax(0, price[r] + (sum[r] - 1) / (1 + 0.1 * round));
    }
    for (int s = q->n - 1; s >= 0; s--) {
        double w[RESOURCES] = { 1 + q->price[0], 1 + q->price[1], 1 + q->price[2] };
        q->rest_price[s] = q->rest_price[s + 1] + dot(w, q->cost[s][cheapest(q, s, w)]);
    }
}

// Whether a choice that goes on from state s, before stage `stage`, may fit and, with `least`, be better than the best
// so far. s->bound receives the least that such a choice can have of what counts: the sum of shares or, where
// only a fit is asked for, the tightest weighted sum.
static bool may_lead(const struct problem *q, struct state *s, int stage, bool least)
{
    double share[RESOURCES], value = 0, priced = 0, tight = 0;
    for (int r = 0; r < RESOURCES; r++)
        share[r] = q->budget[r] > 0 ? s->used[r] / q->budget[r] : 0;
    for (int k = 0; k < q->n_weights; k++)
        tight = fmax(tight, dot(q->weight[k], share) + q->rest[k][stage]);
    s->bound = tight;
    if (!least || tight > 1 + 1e-9)
        return tight <= 1 + 1e-9;
    for (int r = 0; r < RESOURCES; r++) {
        value += share[r];
        priced += (1 + q->price[r]) * share[r] - q->price[r];
    }
    s->bound = fmax(value + q->rest_sum[stage], priced + q->rest_price[stage]);
    return s->bound < q->best_value - 1e-12;
}

struct candidates {
    struct state *items, *spare; // memory that grows as needed
    int n, cap, spare_cap;
    int *run, n_runs, cap_runs; // where each option's candidates end; they are in order of cost
    int32_t *least; // of remove_dominated: one per block RAM of the budget, and two
};

// The candidates for stage `stage`, an option after the other: where `from` is in order of cost, so are those of each.
static void expand(struct problem *q, struct arena *a, int stage, const struct layer *from, bool least, struct candidates *to)
{
    to->n = to->n_runs = 0;
    for (int o = 0; o < q->front[stage].n; o++) {
        const struct cost *c = &q->front[stage].items[o].cost;
        const int64_t add[RESOURCES] = { c->dsp, c->bram18, c->lut };
        for (int i = 0; i < from->n; i++) {
            struct state s = { .parent = i, .option = o };
            bool possible = true;
            for (int r = 0; r < RESOURCES; r++) {
                int64_t sum = from->items[i].used[r] + add[r];
                possible &= (double)sum <= q->budget[r];
                s.used[r] = possible ? (int32_t)sum : 0;
            }
            if (possible && may_lead(q, &s, stage + 1, least))
                arena_push(a, to->items, to->n, to->cap, s);
        }
        arena_push(a, to->run, to->n_runs, to->cap_runs, to->n);
    }
    q->nodes += to->n;
}

static void merge(const struct state *x, const struct state *x_end, const struct state *y, const struct state *y_end, struct state *to)
{
    while (x < x_end && y < y_end)
        *to++ = by_cost(y, x) < 0 ? *y++ : *x++;
    memcpy(to, x < x_end ? x : y, (size_t)(x < x_end ? x_end - x : y_end - y) * sizeof *to);
}

// All in order of cost, in pairs of runs; of equals the first option's first.
static void merge_runs(struct candidates *l, struct arena *a)
{
    if (l->spare_cap < l->n) {
        l->spare_cap = l->cap;
        l->spare = arena_array(a, struct state, l->spare_cap);
    }
    while (l->n_runs > 1) {
        int runs = 0, from = 0;
        for (int i = 0; i < l->n_runs; i += 2) {
            int middle = l->run[i], end = l->run[i + 1 < l->n_runs ? i + 1 : i];
            merge(l->items + from, l->items + middle, l->items + middle, l->items + end, l->spare + from);
            l->run[runs++] = from = end;
        }
        l->n_runs = runs;
        struct state *merged = l->spare;
        int cap = l->spare_cap;
        l->spare = l->items, l->spare_cap = l->cap;
        l->items = merged, l->cap = cap;
    }
}

// Removes dominated states: in order of DSP, a state stays when it uses less LUT than every one before it
// with at most its block RAM; a Fenwick tree over block RAM holds those minima.
static void remove_dominated(struct candidates *l, int32_t brams)
{
    int n = 0;
    for (int32_t i = 0; i <= brams + 1; i++)
        l->least[i] = INT32_MAX;
    for (int i = 0; i < l->n; i++) {
        const struct state *s = &l->items[i];
        int32_t best = INT32_MAX;
        for (int32_t k = s->used[1] + 1; k > 0; k -= k & -k)
            best = l->least[k] < best ? l->least[k] : best;
        if (best <= s->used[2])
            continue;
        for (int32_t k = s->used[1] + 1; k <= brams + 1; k += k & -k)
            l->least[k] = s->used[2] < l->least[k] ? s->used[2] : l->least[k];
        l->items[n++] = *s;
    }
    l->n = n;
}

static void take_path(struct problem *q, const struct layer *layer, int at)
{
    for (int s = q->n; s > 0; s--) {
        q->best[s - 1] = layer[s].items[at].option;
        at = layer[s].items[at].parent;
    }
}

// The dynamic program. FITS: q->best is a choice that fits and, with `least`, of less than q->best_value before. More than
// max_states in a layer are cut to the most promising: then NO_FIT is not known, and *cut.
static enum answer search(struct problem *q, struct arena *a, bool least, int max_states, bool *cut)
{
    struct layer *layer = arena_array(a, struct layer, q->n + 1);
    struct candidates c = { .least = arena_array(a, int32_t, (int64_t)q->budget[1] + 3) };
    struct state start = { .parent = -1 };
    *cut = false;
    layer[0] = (struct layer){ &start, 1 };
    for (int s = 0; s < q->n; s++) {
        struct layer *to = &layer[s + 1];
        expand(q, a, s, &layer[s], least, &c);
        if (c.n == 0)
            return *cut ? UNKNOWN : NO_FIT;
        merge_runs(&c, a);
        remove_dominated(&c, (int32_t)q->budget[1]);
        if (c.n > max_states || s == q->n - 1)
            qsort(c.items, (size_t)c.n, sizeof *c.items, by_bound);
        *cut |= c.n > max_states;
        to->n = c.n < max_states ? c.n : max_states;
        to->items = arena_array(a, struct state, to->n);
        memcpy(to->items, c.items, (size_t)to->n * sizeof *c.items);
        if (c.n > max_states && s < q->n - 1)
            qsort(to->items, (size_t)to->n, sizeof *to->items, by_cost);
    }
    take_path(q, layer, 0);
    q->best_value = layer[q->n].items[0].bound;
    return FITS;
}

// Wider and wider, for a narrow search nearly always finds what a wide one has to find before it can leave out the rest.
static enum answer search_widening(struct problem *q, bool least, int max_states)
{
    enum answer answer = UNKNOWN;
    bool cut = true;
    for (int states = FIRST_STATES; cut; states *= 8) {
        struct arena scratch = { 0 };
        bool last = states >= max_states;
        answer = search(q, &scratch, least, last ? max_states : states, &cut);
        arena_release(&scratch);
        if (last || (answer == FITS && !least))
            break;
    }
    return answer;
}

bool choose_options(struct choose *c, bool least, struct arena *a)
{
    struct problem q = { .n = c->n, .front = c->front, .best = c->chosen };
    memcpy(q.budget, c->budget, sizeof q.budget);
    q.cost = arena_array(a, shares_row *, q.n);
    for (int i = 0; i < q.n; i++) {
        const struct options *front = &q.front[i];
        q.cost[i] = q.cost[c->twin[i]];
        if (c->twin[i] < i)
            continue;
        q.cost[i] = arena_alloc(a, (size_t)front->n * sizeof *q.cost[i]);
        for (int o = 0; o < front->n; o++)
            shares(&q, &front->items[o].cost, q.cost[i][o]);
    }
    enum answer answer = weigh(&q);
    c->proven = true;
    if (answer == UNKNOWN) {
        bounds(&q, a);
        answer = search_widening(&q, false, MAX_STATES);
        c->proven = answer != UNKNOWN;
    }
    if (answer == FITS && least) {
        bounds(&q, a);
        q.best_value = 0;
        for (int i = 0; i < q.n; i++)
            q.best_value += q.cost[i][q.best[i]][0] + q.cost[i][q.best[i]][1] + q.cost[i][q.best[i]][2];
        find_prices(&q, a);
        search_widening(&q, true, LEAST_STATES);
    }
    c->nodes = q.nodes;
    return answer == FITS;
}
