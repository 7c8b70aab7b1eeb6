// SPDX-License-Identifier: Apache-2.0
// schedule: least interval, then least resources.
//
// At a fixed interval every stage has a Pareto front of options; choosing one each within three budgets (DSP, block
// RAM, LUT) is a knapsack (choose.h). More cycles never make the front of a stage worse, but for one detail: a stream's
// lanes follow from the interval, and a global average with fewer input lanes may need a faster requantizer. The least
// interval is found by bisection and confirmed at its last step, one cycle below.
#include "dataflow/schedule.h"

#include <string.h>

#include "base/check.h"
#include "dataflow/choose.h"
#include "dataflow/cost.h"
#include "dataflow/serial.h"
#include "dataflow/timing.h"

#define FIFO_ROUNDS 12

// ---- one interval ----

// The options of all stages at an interval.
struct fronts {
    int64_t interval;
    const struct options *of; // per stage; NULL: some stage has none
};

struct solve {
    const struct ctx *cx;
    struct pipeline *p;
    const struct board *b;
    int *twin; // per stage: the first stage with the same options
    double budget[RESOURCES];
    struct option *chosen;
    int64_t floor; // no schedule is faster than this
    bool near;     // but one is hardly slower
    bool proven;
    int64_t wanted; // cycles per frame that the goal asks for; 0: as few as possible
    bool deepen;    // FIFOs where they make frames come faster
    struct arena memory; // of what follows
    struct fronts *known; // the same few intervals are asked for again and again
    int n_known, cap_known;
};

static struct solve new_solve(const struct ctx *cx, struct pipeline *p, const struct board *b)
{
    struct solve s = { .cx = cx, .p = p, .b = b, .floor = 1, .proven = true };
    struct arena scratch = { 0 };
    struct options_key *key = arena_array(&scratch, struct options_key, p->n_stages);
    s.chosen = arena_array(cx->arena, struct option, p->n_stages);
    s.twin = arena_array(cx->arena, int, p->n_stages);
    for (int i = 0; i < p->n_stages; i++) {
        key[i] = stage_options_key(p, &p->stages[i], b->tech);
        s.twin[i] = 0;
        while (memcmp(&key[s.twin[i]], &key[i], sizeof *key) != 0)
            s.twin[i]++;
    }
    arena_release(&scratch);
    return s;
}

static void free_solve(struct solve *s)
{
    arena_release(&s->memory);
}

static const struct options *fronts_at(struct solve *s, int64_t interval)
{
    int n = s->p->n_stages;
    for (int i = 0; i < s->n_known; i++)
        if (s->known[i].interval == interval)
            return s->known[i].of;
    struct options *front = arena_array(&s->memory, struct options, n), *list = arena_array(&s->memory, struct options, n);
    struct arena *scratch = arena_array(&s->memory, struct arena, n);
    bool all = true;
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < n; i++)
        if (s->twin[i] == i)
            stage_options(s->p, &s->p->stages[i], s->b->tech, interval, &scratch[i], &list[i]);
    for (int i = 0; i < n; i++) {
        front[i] = front[s->twin[i]];
        if (s->twin[i] < i)
            continue;
        all &= list[i].n > 0;
        front[i] = (struct options){ .items = arena_array(&s->memory, struct option, list[i].n), .n = list[i].n };
        if (list[i].n)
            memcpy(front[i].items, list[i].items, (size_t)list[i].n * sizeof *list[i].items);
        arena_release(&scratch[i]);
    }
    struct fronts f = { interval, all ? front : NULL };
    arena_push(&s->memory, s->known, s->n_known, s->cap_known, f);
    return f.of;
}

// One option per stage within the budgets at this interval, to s->chosen; with `least`, of the least sum of shares.
static bool solve_at(struct solve *s, int64_t interval, const double *budget, bool least, struct arena *a, bool *proven)
{
    struct pipeline *p = s->p;
    struct choose c = { .n = p->n_stages, .front = fronts_at(s, interval), .twin = s->twin, .chosen = arena_array(a, int, p->n_stages) };
    if (!c.front)
        return false;
    memcpy(c.budget, budget, sizeof c.budget);
    bool fits = choose_options(&c, least, a);
    *proven &= c.proven;
    p->schedule_nodes += c.nodes;
    for (int i = 0; fits && i < c.n; i++)
        s->chosen[i] = c.front[i].items[c.chosen[i]];
    return fits;
}

static bool try_interval(struct solve *s, int64_t interval, const double *budget, bool least, bool *proven)
{
    struct arena scratch = { 0 };
    bool ok = solve_at(s, interval, budget, least, &scratch, proven);
    arena_release(&scratch);
    return ok;
}

// ---- what a choice means for the pipeline ----

void schedule_apply(struct pipeline *p, const struct option *chosen, const struct tech *tech)
{
    for (int i = 0; i < p->n_stages; i++) {
        struct stage *s = &p->stages[i];
        s->fold = chosen[i].fold;
        if (s->fold.pack == 2)
            s->fold.seg_len = cost_exact_segment(s, &s->fold, tech);
        s->cost = cost_stage(s, &s->fold, tech);
        for (int k = 0; k < s->n_in; k++)
            p->edges[s->in_edge[k]].lanes = s->fold.in_lanes;
        p->streams[s->out_stream].lanes = s->fold.rq_lanes;
    }
    for (int i = 0; i < p->n_inputs; i++)
        p->streams[p->inputs[i].stream].lanes = 1;
    for (int i = 0; i < p->n_edges; i++) { // the host sends what the widest reader takes
        const struct edge *e = &p->edges[i];
        struct stream *s = &p->streams[e->stream];
        if (s->producer < 0 && e->lanes > s->lanes)
            s->lanes = e->lanes;
    }
    for (int i = 0; i < p->n_edges; i++)
        if (p->edges[i].consumer < 0)
            p->edges[i].lanes = p->streams[p->edges[i].stream].lanes;
}

static struct cost edge_cost(const struct pipeline *p)
{
    struct cost sum = { 0 };
    for (int i = 0; i < p->n_edges; i++) {
        struct cost c = cost_edge(p, &p->edges[i]);
        cost_add(&sum, &c);
    }
    return sum;
}

static void sum_up(struct pipeline *p)
{
    p->total = edge_cost(p);
    for (int i = 0; i < p->n_stages; i++)
        cost_add(&p->total, &p->stages[i].cost);
    p->total.cycles = p->interval_cycles;
}

static int64_t slowest(const struct option *chosen, int n)
{
    int64_t m = 1;
    for (int i = 0; i < n; i++)
        m = max_i64(m, chosen[i].cost.cycles);
    return m;
}

// An interval that every stage can reach in its smallest form.
static int64_t longest_interval(const struct pipeline *p)
{
    int64_t longest = 1;
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *st = &p->stages[i];
        const struct stream *in = stage_in(p, st, 0), *out = &p->streams[st->out_stream];
        int64_t all = max_i64(st->macs, in->h * in->w * in->c * st->geo.kernel_h * st->geo.kernel_w) * 2 + out->h * out->w * out->c * 24;
        longest = max_i64(longest, all);
    }
    return longest;
}

// ---- the solver ----

static bool fits_at(struct solve *s, int64_t interval)
{
    return try_interval(s, interval, s->budget, false, &s->proven);
}

// The least interval at which everything fits; 0 when nothing does. Nothing fits below s->floor, which is near it
// where it comes from a larger budget. Growing steps find the range. Then the question is whether one cycle less than the
// last answer fits too: no proves it least, as it often is, for the cycles of folds come in lumps; yes jumps to the next
// value that any choice has, and half of the range is taken off before the question is asked again.
static int64_t least_interval(struct solve *s)
{
    int64_t low = s->floor - 1, high = s->floor, longest = longest_interval(s->p), step = s->floor / (s->near ? 64 : 1) + 1;
    while (!fits_at(s, high)) {
        if (high >= longest)
            return 0;
        low = high;
        high = min_i64(longest, high + step);
        step *= 2;
    }
    high = slowest(s->chosen, s->p->n_stages);
    for (bool halve = false; high - low > 1; halve = !halve) {
        int64_t next = halve && high - low > high / 64 ? low + (high - low) / 2 : high - 1;
        if (fits_at(s, next)) {
            high = slowest(s->chosen, s->p->n_stages);
        } else {
            low = next;
        }
    }
    return high;
}

static bool within(const struct cost *c, const int64_t *have)
{
    return c->dsp <= have[0] && c->bram18 <= have[1] && c->lut <= have[2];
}

static void expect_progress(const struct pipeline *p, bool progress)
{
    if (!progress)
        BUG("FIFO analysis of %s found no progress", p->name);
}

static void size_fifos(struct pipeline *p)
{
    expect_progress(p, timing_size_fifos(p));
    sum_up(p);
}

// The same; those that fit `have` are confirmed to keep the pace, for the others that is not worth the time.
static void size_and_confirm_fifos(struct pipeline *p, const int64_t *have)
{
    size_fifos(p);
    if (!within(&p->total, have))
        return;
    expect_progress(p, timing_confirm(p));
    sum_up(p);
}

static bool solve_once(struct solve *s, int64_t wanted, const int64_t *have)
{
    struct pipeline *p = s->p;
    int64_t interval = wanted;
    if (!wanted || !fits_at(s, wanted)) {
        interval = least_interval(s);
        s->floor = max_i64(s->floor, interval); // a smaller budget cannot do better
        s->near = interval > 0;
    }
    if (!interval || !try_interval(s, interval, s->budget, true, &s->proven))
        return false;
    schedule_apply(p, s->chosen, s->b->tech);
    size_and_confirm_fifos(p, have);
    p->optimal = s->proven;
    return true;
}

// What stands in the way of one cycle less: a stage that has no faster fold, or each resource of which more would
// help alone, or all of them together.
static const char *find_bound(struct solve *s, int64_t interval)
{
    const char *const what[RESOURCES] = { "DSP", s->b->tech->bram_name, "LUT" };
    struct pipeline *p = s->p;
    struct arena *a = p->arena, scratch = { 0 };
    const char *names = NULL;
    bool stages = !fronts_at(s, interval - 1);
    for (int i = 0; stages && i < p->n_stages; i++) {
        struct options list = { 0 };
        stage_options(p, &p->stages[i], s->b->tech, interval - 1, &scratch, &list);
        if (list.n == 0)
            names = names ? arena_printf(a, "%s, %s", names, p->stages[i].name) : p->stages[i].name;
    }
    arena_release(&scratch);
    for (int r = 0; !stages && r < RESOURCES; r++) {
        double budget[RESOURCES];
        bool proven = true;
        memcpy(budget, s->budget, sizeof budget);
        budget[r] = 16 * budget[r] + 1000;
        if (try_interval(s, interval - 1, budget, false, &proven))
            names = names ? arena_printf(a, "%s or %s", names, what[r]) : what[r];
    }
    return names ? names : arena_printf(a, "DSP, %s and LUT together", what[1]);
}

// A schedule without deeper FIFOs, to return to.
struct shallow {
    int64_t interval; // 0: none yet
    int64_t room[RESOURCES];
};

// Gives the FIFOs of a schedule that fits the depths that make frames come faster. False: solve again with the room that
// it has set, which leaves place for them or, where frames would then be no faster, is that of the schedule without.
static bool deepened(struct solve *s, struct shallow *shallow, int64_t *room, const int64_t *have, int round)
{
    struct pipeline *p = s->p;
    int64_t interval = p->interval_cycles;
    bool deeper = s->deepen && timing_deepen(p), fits;
    sum_up(p);
    fits = within(&p->total, have);
    if (fits && (shallow->interval == 0 || p->interval_cycles <= shallow->interval))
        return true;
    if (deeper && !fits && (shallow->interval == 0 || p->interval_cycles < shallow->interval)) {
        const int64_t over[RESOURCES] = { p->total.dsp - have[0], p->total.bram18 - have[1], p->total.lut - have[2] };
        if (shallow->interval == 0) {
            shallow->interval = interval;
            memcpy(shallow->room, room, sizeof shallow->room);
        }
        for (int r = 0; r < RESOURCES; r++)
            room[r] += max_i64(0, over[r]);
        s->deepen = round < FIFO_ROUNDS / 2;
        return false;
    }
    s->deepen = false;
    memcpy(room, shallow->room, sizeof shallow->room);
    return false;
}

// ---- rows of the rings ----

#define NEARLY 8 // stages within an 8th of the slowest one's cycles may hold up frames
#define RING_EFFORT 100000000 // cycles x stages simulated to take rings back: about a second
#define RING_FRAMES 10 // simulated in each

// What a change of rings may have to take back.
struct rings {
    struct arena memory;
    struct fold *folds; // by stage
    struct edge *edges;
    int64_t interval_cycles, latency_cycles;
};

static struct rings keep_rings(const struct pipeline *p)
{
    struct rings k = { .interval_cycles = p->interval_cycles, .latency_cycles = p->latency_cycles };
    k.folds = arena_array(&k.memory, struct fold, p->n_stages);
    k.edges = arena_array(&k.memory, struct edge, p->n_edges);
    for (int i = 0; i < p->n_stages; i++)
        k.folds[i] = p->stages[i].fold;
    memcpy(k.edges, p->edges, (size_t)p->n_edges * sizeof *k.edges);
    return k;
}

static void set_fold(const struct pipeline *p, struct stage *s, const struct fold *f)
{
    s->fold = *f;
    s->cost = cost_stage(s, &s->fold, p->board->tech);
}

static void return_rings(struct pipeline *p, const struct rings *k)
{
    for (int i = 0; i < p->n_stages; i++)
        set_fold(p, &p->stages[i], &k->folds[i]);
    memcpy(p->edges, k->edges, (size_t)p->n_edges * sizeof *k->edges);
    p->interval_cycles = k->interval_cycles;
    p->latency_cycles = k->latency_cycles;
    sum_up(p);
}

// The fold with a row more, in block RAM where that is too much for LUTs. False: there is none, or no use for it.
static bool larger_ring(const struct pipeline *p, const struct stage *s, int64_t slowest_cycles, struct fold *f)
{
    const struct tech *tech = p->board->tech;
    if ((s->kind != STAGE_CONV && s->kind != STAGE_DW) || s->cost.cycles < slowest_cycles - slowest_cycles / NEARLY)
        return false;
    *f = s->fold;
    f->ring_rows++;
    struct fold_shape x = fold_shape(s, f);
    f->ring_block |= !cost_memory_possible(s, f, &x, tech, MEMORY_RING, f->ring_block);
    return cost_memory_possible(s, f, &x, tech, MEMORY_RING, f->ring_block);
}

// A row comes into a ring while another is worked on, and takes some cycles more to change hands. Where stages have none to spare a
// frame loses them at every row: with a row more in the rings it does not. Gives them to the stages that are nearly as
// slow as the slowest, and takes back those that the interval does not need.
static void grow_rings(struct pipeline *p, const int64_t *have)
{
    int64_t slowest_cycles = pipeline_slowest_cycles(p);
    if (p->interval_cycles == slowest_cycles)
        return;
    struct rings before = keep_rings(p);
    for (int i = 0; i < p->n_stages; i++) {
        struct fold f;
        if (larger_ring(p, &p->stages[i], slowest_cycles, &f))
            set_fold(p, &p->stages[i], &f);
    }
    size_and_confirm_fifos(p, have);
    if (!within(&p->total, have) || p->interval_cycles >= before.interval_cycles)
        return_rings(p, &before);
    int64_t effort = 0, trial = RING_FRAMES * p->interval_cycles * p->n_stages;
    for (int i = 0; i < p->n_stages && effort + trial <= RING_EFFORT; i++) {
        struct stage *s = &p->stages[i];
        const struct fold grown = s->fold;
        if (grown.ring_rows == before.folds[i].ring_rows)
            continue;
        struct arena scratch = { 0 };
        set_fold(p, s, &before.folds[i]);
        struct timing_result less = timing_run(p, &scratch, RING_FRAMES);
        if (less.interval_cycles > p->interval_cycles || !timing_pass_bare(p, NULL)) // rings let frames through too
            set_fold(p, s, &grown);
        else
            p->latency_cycles = less.latency_cycles;
        arena_release(&scratch);
        effort += trial;
    }
    sum_up(p);
    arena_release(&before.memory);
}

// Solves, sizes the FIFOs, and solves again with less until both fit together. False: they do not.
static bool solve_within(struct solve *s, const struct schedule_goal *goal, const int64_t *have)
{
    struct pipeline *p = s->p;
    p->board = s->b;
    p->clock_hz = goal->clock_hz ? goal->clock_hz : s->b->clock_hz;
    s->wanted = goal->fps ? max_i64(1, p->clock_hz / goal->fps) : 0;
    // no stream carries more than 64 elements a cycle
    for (int i = 0; i < p->n_streams; i++)
        s->floor = max_i64(s->floor, stream_beats(&p->streams[i], 64));
    // what is kept free for FIFOs, and the most of it that is known to leave a schedule
    int64_t room[RESOURCES] = { 0 }, kept[RESOURCES] = { 0 };
    struct shallow shallow = { 0 };
    for (int round = 0, grown = 0;; round++) {
        if (round == FIFO_ROUNDS)
            return false;
        for (int r = 0; r < RESOURCES; r++)
            s->budget[r] = (double)max_i64(0, have[r] - room[r]);
        if (!solve_once(s, s->wanted, have)) {
            if (memcmp(room, kept, sizeof room) == 0)
                return false;
            for (int r = 0; r < RESOURCES; r++) // too much was kept free
                room[r] = room[r] - kept[r] < 2 ? kept[r] : (room[r] + kept[r]) / 2;
            continue;
        }
        memcpy(kept, room, sizeof room);
        if (within(&p->total, have)) {
            int64_t limit = goal->max_latency_us * (p->clock_hz / 1000000);
            if (limit && s->wanted && p->latency_cycles > limit && round + 1 < FIFO_ROUNDS) {
                s->wanted = s->wanted * limit / (p->latency_cycles + 1); // a faster pipeline is a shorter one
                continue;
            }
            if (!deepened(s, &shallow, room, have, round))
                continue;
            break;
        }
        // FIFOs and forks came on top: leave them room, and more each time, for choices come in lumps
        struct cost edges = edge_cost(p);
        const int64_t top[RESOURCES] = { edges.dsp, edges.bram18, edges.lut };
        const int64_t over[RESOURCES] = { p->total.dsp - have[0], p->total.bram18 - have[1], p->total.lut - have[2] };
        for (int r = 0; r < RESOURCES; r++)
            if (over[r] > 0)
                room[r] = max_i64(room[r], top[r]) + (grown ? over[r] << grown : 0);
        grown++;
    }
    p->gap = p->optimal ? 0 : 1;
    return true;
}

int64_t schedule_lut_budget(const struct board *b)
{
    return b->lut * SCHEDULE_LUT_PERCENT / 100;
}

static void board_budget(const struct pipeline *p, const struct board *b, int64_t max_dsp, int64_t *have)
{
    have[0] = max_dsp >= 0 ? min_i64(max_dsp, b->dsp) : b->dsp;
    have[1] = max_i64(0, b->bram18 - cost_shell_bram(p, b));
    have[2] = schedule_lut_budget(b);
}

// ---- no fit ----

#define VERIFIED_STEPS 300000000 // cycles times stages of FIFO sizing up to which E302 checks its numbers with the solver

// Whether p fits in some schedule, however slow. Where the slowest does not, none does; it takes long to size FIFOs for, so
// otherwise faster ones come first.
static bool fits_somehow(struct solve *s, const int64_t *have)
{
    struct pipeline *p = s->p;
    const struct schedule_goal slow = { .fps = 1, .max_dsp = -1, .clock_hz = longest_interval(p) };
    p->board = s->b;
    s->floor = 1;
    s->near = false;
    for (int r = 0; r < RESOURCES; r++)
        s->budget[r] = (double)have[r];
    if (!fits_at(s, longest_interval(p)))
        return false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        if (!fits_at(s, max_i64(1, longest_interval(p) >> shift)))
            continue;
        schedule_apply(p, s->chosen, s->b->tech);
        size_fifos(p);
        if (within(&p->total, have))
            return true;
        if (shift == 0)
            return solve_within(s, &slow, have);
    }
    return false;
}

// "ultra96, zcu104": the known boards that take p in some schedule, or NULL.
static const char *boards_that_fit(const struct ctx *cx, struct pipeline *p)
{
    struct diag silent = { .out = NULL };
    struct ctx inner = { cx->arena, &silent };
    const char *names = NULL;
    for (int i = 0; i < board_count(); i++) {
        struct board b;
        int64_t have[RESOURCES];
        if (!board_read(&inner, board_name(i), &b))
            continue;
        board_budget(p, &b, -1, have);
        struct solve s = new_solve(&inner, p, &b);
        if (fits_somehow(&s, have))
            names = names ? arena_printf(cx->arena, "%s, %s", names, b.name) : b.name;
        free_solve(&s);
    }
    return names;
}

// The schedule that the least enlarged board would take, all of its resources enlarged alike; its FIFOs included.
static bool smallest_schedule(struct solve *s, const int64_t *have)
{
    int64_t longest = longest_interval(s->p), edges[RESOURCES] = { 0 };
    for (int round = 0; round < 2; round++) {
        double low = 0, high = 1;
        for (bool up = true; high - low > 1e-4 * high;) {
            double factor = up ? high : (low + high) / 2;
            for (int r = 0; r < RESOURCES; r++)
                s->budget[r] = factor * (double)have[r] - (double)edges[r];
            bool fits = s->budget[0] >= 0 && s->budget[1] >= 0 && s->budget[2] >= 0 && fits_at(s, longest);
            if (up && !fits) {
                if (high > 1e6)
                    return false;
                low = high;
                high *= 2;
                continue;
            }
            up = false;
            *(fits ? &high : &low) = factor;
        }
        for (int r = 0; r < RESOURCES; r++)
            s->budget[r] = high * (double)have[r] - (double)edges[r];
        if (!solve_once(s, longest, have))
            return false;
        struct cost c = edge_cost(s->p);
        bool same = c.dsp == edges[0] && c.bram18 == edges[1] && c.lut == edges[2];
        edges[0] = c.dsp, edges[1] = c.bram18, edges[2] = c.lut;
        if (same)
            break;
    }
    return true;
}

void schedule_add_shortage(struct strbuf *out, int64_t need, int64_t have, const char *what)
{
    if (need > have)
        strbuf_addf(out, "%s%lld %s (%lld too many)", out->len ? ", " : "", (long long)need, what, (long long)(need - have));
}

// What the smallest schedule needs beyond the board, and where it would fit.
static bool report_no_fit(const struct ctx *cx, struct pipeline *p, const struct board *b, const int64_t *have)
{
    const char *const what[RESOURCES] = { "DSP", b->tech->bram_name, "LUT" };
    struct strbuf found = STRBUF_INIT, short_of = STRBUF_INIT;
    const char *fits = boards_that_fit(cx, p);
    struct solve s = new_solve(cx, p, b);
    p->board = b;
    int64_t need[RESOURCES] = { have[0], have[1], have[2] };
    if (smallest_schedule(&s, have)) {
        need[0] = max_i64(have[0], p->total.dsp), need[1] = max_i64(have[1], p->total.bram18), need[2] = max_i64(have[2], p->total.lut);
        bool quick = 8 * p->interval_cycles * p->n_stages < VERIFIED_STEPS;
        while (quick && !fits_somehow(&s, need)) { // the last LUTs may take more rounds than the solver makes
            bool any = need[0] > have[0] || need[1] > have[1] || need[2] > have[2];
            for (int r = 0; r < RESOURCES; r++)
                need[r] += !any || need[r] > have[r] ? need[r] / 200 + 1 : 0;
        }
    }
    for (int r = 0; r < RESOURCES; r++) {
        strbuf_addf(&found, "%s%lld %s", r ? ", " : "", (long long)have[r], what[r]);
        if (r == 1 && have[1] < b->bram18)
            strbuf_addf(&found, " beside %lld of the shell", (long long)cost_shell_bram(p, b));
        schedule_add_shortage(&short_of, need[r], have[r], what[r]);
    }
    diag_emit(cx, (struct diag_msg){ .code = E302, .where = arena_printf(cx->arena, "%s on %s", p->graph->file, b->name),
              .found = arena_strdup(cx->arena, found.text),
              .need = short_of.len ? arena_strdup(cx->arena, short_of.text) : "a mix of resources that no fold reaches",
              .help = arena_printf(cx->arena, "%s%s", serial_fits(p, b, -1) ? "with --serial, one multiplier for all stages, it fits this board; " : "",
                                   fits ? arena_printf(cx->arena, "it fits %s", fits) : "none of the boards in `aihls boards` takes this model") },
              "the model does not fit %s", b->name);
    free_solve(&s);
    strbuf_release(&found);
    strbuf_release(&short_of);
    return false;
}

bool schedule_solve(const struct ctx *cx, struct pipeline *p, const struct board *b, const struct schedule_goal *goal)
{
    int64_t have[RESOURCES];
    struct solve s = new_solve(cx, p, b);
    s.deepen = true;
    board_budget(p, b, goal->max_dsp, have);
    bool fits = solve_within(&s, goal, have);
    if (fits) {
        if (!s.wanted || p->interval_cycles > s.wanted)
            grow_rings(p, have);
        int64_t interval = pipeline_slowest_cycles(p);
        p->bound = goal->fps && interval <= s.wanted && s.wanted ? "the goal" : find_bound(&s, interval);
        pipeline_verify(p);
    }
    free_solve(&s);
    return fits || report_no_fit(cx, p, b, have);
}
