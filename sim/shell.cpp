// SPDX-License-Identifier: Apache-2.0
// shell: runs a Verilated NAME_axi as a system does: a program that only knows registers (docs/80-shell.md), and a memory
// that is as slow as the board's. Compiled by `aihls sim --shell axi` with probes.h and shell.h of the design.
//
//     Vshell REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED FAULT_SEED PATIENCE RESULT [TRACE.fst]
//
// REFERENCE is what harness.cpp reads; of its streams the inputs go into memory, and the outputs are compared with what is
// there when a frame is done. With a stall seed every handshake of both buses is held up at random; with a fault seed
// some bursts are answered with SLVERR or DECERR: exactly the frames concerned must say so, and only they may be wrong.
// With RESET_AT the program resets the accelerator in about that cycle, dropping what is queued, and once more later,
// keeping it. The checkers of aihls_check_axi.v and aihls_check_axil.v watch all the time.
#include "Vshell.h"
#include "reference.hpp"
#include "shell.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../driver/libaihls/aihls_shell.h"

// What went wrong first; everything ends with it.
struct Failure {
    std::string text;
};

[[noreturn]] static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fail(const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    throw Failure{ text };
}

// A frame's buffer of a port.
struct Buffer {
    uint64_t base;
    size_t bytes;
    long frame;
    int port;
    bool input;
};

// Memory behind an AXI4 slave port: a rate, a latency, and pauses for refresh in which no word moves.
class Dram {
  public:
    Dram(Vshell &top_, uint64_t stall_seed, uint64_t fault_seed) : top(top_), rng(stall_seed), fault_rng(fault_seed), stalls(stall_seed != 0), faults(fault_seed != 0) {}

    // Room for a buffer at a random distance behind the one before.
    uint64_t place(size_t bytes, long frame, int port, bool input)
    {
        size_t at = (memory.size() + 63) / 64 * 64 + (size_t)(layout.next() % 70) * 64;
        memory.resize(at + (bytes + 63) / 64 * 64 + 64, 0xa5);
        buffers[BASE + at] = Buffer{ BASE + at, bytes, frame, port, input };
        return BASE + at;
    }
    uint8_t *at(uint64_t address) { return memory.data() + (address - BASE); }

    // The wires of this cycle.
    void drive()
    {
        const bool refreshing = REFRESH_EVERY > 0 && cycle % REFRESH_EVERY >= REFRESH_EVERY - REFRESH;
        credit = credit + RATE > MOST_CREDIT ? MOST_CREDIT : credit + RATE; // what a refresh costs is in the rate
        top.m_axi_arready = reads.size() < QUEUE && go();
        top.m_axi_awready = writes.size() < QUEUE && go();
        top.m_axi_wready = !refreshing && credit >= WORD_BYTES && words_in < 2 * QUEUE * 16 && go();
        top.m_axi_rvalid = 0;
        if (!refreshing && credit >= WORD_BYTES && choose(reads, reading) && go())
            offer_word(reads[reading]);
        top.m_axi_bvalid = 0;
        if (choose(answers, answering) && go()) {
            top.m_axi_bvalid = 1;
            top.m_axi_bid = answers[answering].id;
            top.m_axi_bresp = answers[answering].resp;
        }
    }

    // What transfers at the coming edge. B and R are always taken.
    void observe()
    {
        if (top.m_axi_rvalid)
            take_word();
        if (top.m_axi_bvalid)
            answers.erase(answers.begin() + (long)answering);
        if (top.m_axi_arvalid && top.m_axi_arready)
            reads.push_back(burst(top.m_axi_araddr, top.m_axi_arlen, top.m_axi_arid, true));
        if (top.m_axi_awvalid && top.m_axi_awready)
            writes.push_back(burst(top.m_axi_awaddr, top.m_axi_awlen, top.m_axi_awid, false));
        if (top.m_axi_wvalid && top.m_axi_wready) {
            Word w;
            memcpy(w.bytes, &top.m_axi_wdata, WORD_BYTES);
            w.strobes = top.m_axi_wstrb;
            w.last = top.m_axi_wlast;
            data.push_back(w);
            credit -= WORD_BYTES;
            words_in++;
            bytes_written += WORD_BYTES;
        }
        store();
        cycle++;
    }

    std::map<long, unsigned> expected; // frame -> AIHLS_SHELL_SLOT_ bits that its errors must set
    unsigned injected = 0;             // AIHLS_SHELL_ERROR_ bits
    long faulty_bursts = 0, bytes_read = 0, bytes_written = 0, bursts = 0;

  private:
    struct Burst {
        uint64_t address;
        int words, done, id;
        long ready;
        const Buffer *buffer;
        unsigned resp; // 0, or what its word number `bad` (a read) or it as a whole (a write) is answered with
        int bad;
    };
    struct Word {
        uint8_t bytes[WORD_BYTES];
        uint64_t strobes;
        bool last;
    };
    struct Answer {
        int id;
        unsigned resp;
        long ready;
    };
    static constexpr uint64_t BASE = ADDR_BITS > 32 ? 0x1220000000u : 0x20000000u;
    static constexpr size_t QUEUE = 8; // bursts of each kind that the port takes
    static constexpr double RATE = (double)DRAM_BYTES_PER_S / CLOCK_HZ;
    static constexpr double MOST_CREDIT = 64 * WORD_BYTES;
    static constexpr long LATENCY = DRAM_LATENCY_NS * (CLOCK_HZ / 1000000) / 1000;
    static constexpr long REFRESH_EVERY = DRAM_REFRESH_EVERY_NS * (CLOCK_HZ / 1000000) / 1000;
    static constexpr long REFRESH = DRAM_REFRESH_NS * (CLOCK_HZ / 1000000) / 1000;

    bool go() { return !stalls || rng.next() % 3 != 0; }

    Burst burst(uint64_t address, int len, int id, bool input)
    {
        auto it = buffers.upper_bound(address);
        if (it == buffers.begin())
            fail("a burst at %llx, where no buffer is", (unsigned long long)address);
        const Buffer *b = &(--it)->second;
        const uint64_t end = address + (uint64_t)(len + 1) * WORD_BYTES, room = (b->bytes + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
        if (b->input != input || end > b->base + room)
            fail("a %s of %llx to %llx outside of frame %ld's buffer %d", input ? "read" : "write", (unsigned long long)address, (unsigned long long)end, b->frame, b->port);
        Burst r = { address, len + 1, 0, id, cycle + LATENCY, b, 0, 0 };
        bursts++;
        if (faults && fault_rng.next() % 24 == 0) {
            r.resp = 2 + (unsigned)(fault_rng.next() >> 20) % 2;
            r.bad = (int)(fault_rng.next() % (uint64_t)r.words);
            faulty_bursts++;
        }
        return r;
    }

    void note(const Burst &b, bool read)
    {
        expected[b.buffer->frame] |= read ? AIHLS_SHELL_SLOT_READ_ERROR : AIHLS_SHELL_SLOT_WRITE_ERROR;
        injected |= (b.resp == 2 ? 1u : 2u) << (read ? 0 : 2);
    }

    // What is answered next: the oldest; with stalls the oldest of any ID, so that words of several bursts are mixed.
    template <class T> bool choose(const std::deque<T> &waiting, size_t &at)
    {
        if (waiting.empty())
            return false;
        at = stalls ? (size_t)(rng.next() >> 8) % waiting.size() : 0;
        for (size_t i = 0; i < at; i++)
            if (waiting[i].id == waiting[at].id)
                at = i;
        return waiting[at].ready <= cycle;
    }

    void offer_word(const Burst &b)
    {
        top.m_axi_rvalid = 1;
        top.m_axi_rid = b.id;
        top.m_axi_rlast = b.done + 1 == b.words;
        top.m_axi_rresp = b.resp && b.done == b.bad ? b.resp : 0;
        memcpy(&top.m_axi_rdata, at(b.address + (uint64_t)b.done * WORD_BYTES), WORD_BYTES);
        if (b.resp) // the whole burst is worth nothing
            memset(&top.m_axi_rdata, (int)(fault_rng.next() & 255), WORD_BYTES);
    }

    void take_word()
    {
        Burst &b = reads[reading];
        if (b.resp && b.done == b.bad)
            note(b, true);
        credit -= WORD_BYTES;
        bytes_read += WORD_BYTES;
        if (++b.done == b.words)
            reads.erase(reads.begin() + (long)reading);
    }

    // Data that have come for addresses that have come.
    void store()
    {
        while (!data.empty() && !writes.empty()) {
            Burst &b = writes.front();
            const Word &w = data.front();
            for (int i = 0; i < WORD_BYTES && !b.resp; i++)
                if (w.strobes >> i & 1)
                    *at(b.address + (uint64_t)(b.done * WORD_BYTES + i)) = w.bytes[i];
            if (w.last != (++b.done == b.words))
                fail("WLAST at word %d of a burst of %d", b.done, b.words);
            data.pop_front();
            words_in--;
            if (b.done < b.words)
                continue;
            if (b.resp)
                note(b, false);
            answers.push_back(Answer{ b.id, b.resp, cycle + LATENCY });
            writes.pop_front();
        }
    }

    Vshell &top;
    Random rng, fault_rng, layout{ 7 };
    bool stalls, faults;
    std::vector<uint8_t> memory;
    std::map<uint64_t, Buffer> buffers;
    std::deque<Burst> reads, writes;
    std::deque<Word> data;
    std::deque<Answer> answers;
    size_t words_in = 0, reading = 0, answering = 0;
    double credit = 0;
    long cycle = 0;
};

// The board: clock, memory, and the processor's accesses to registers.
class System {
  public:
    System(int power_seed, uint64_t stall_seed, uint64_t fault_seed, const char *trace) : rng(stall_seed + 1), stalls(stall_seed != 0)
    {
        context.reset(new VerilatedContext);
        context->randReset(2);
        context->randSeed(power_seed);
        context->traceEverOn(trace != nullptr);
        top.reset(new Vshell(context.get()));
        dram.reset(new Dram(*top, stall_seed, fault_seed));
#if VM_TRACE
        if (trace) {
            fst.reset(new VerilatedFstC);
            top->trace(fst.get(), 99);
            fst->open(trace);
        }
#endif
        top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_arvalid = top->s_axil_bready = top->s_axil_rready = 0;
    }
    ~System()
    {
#if VM_TRACE
        if (fst)
            fst->close();
#endif
        top->final();
    }

    void reset(long cycles)
    {
        top->aresetn = 0;
        for (long i = 0; i < cycles; i++)
            tick(true);
        top->aresetn = 1;
        now = 0;
    }

    // One cycle; what the wires of AXI4-Lite are meanwhile is the caller's business.
    void tick(bool in_reset = false)
    {
        top->clk = 0;
        if (in_reset) {
            top->m_axi_arready = top->m_axi_awready = top->m_axi_wready = top->m_axi_rvalid = top->m_axi_bvalid = 0;
        } else {
            dram->drive();
        }
        top->eval();
        dump();
        if (!in_reset)
            dram->observe();
        if (!in_reset && (top->bad_master || top->bad_slave || top->bad_lite_master || top->bad_lite_slave))
            fail("cycle %ld: broken rules of the buses: AXI4 master %x, slave %x, AXI4-Lite master %x, slave %x (aihls_check_axi.v, aihls_check_axil.v)",
                 now, (unsigned)top->bad_master, (unsigned)top->bad_slave, (unsigned)top->bad_lite_master, (unsigned)top->bad_lite_slave);
        aw = top->s_axil_awvalid && top->s_axil_awready;
        w = top->s_axil_wvalid && top->s_axil_wready;
        b = top->s_axil_bvalid && top->s_axil_bready;
        ar = top->s_axil_arvalid && top->s_axil_arready;
        r = top->s_axil_rvalid && top->s_axil_rready;
        rdata = top->s_axil_rdata;
        bresp = top->s_axil_bresp;
        top->clk = 1;
        top->eval();
        dump();
        now++;
        if (now > limit)
            fail("nothing has been done for long");
    }

    // Address and data come in any order. Returns the response.
    unsigned write(unsigned offset, uint32_t value, unsigned strobes = 15)
    {
        bool need_aw = true, need_w = true;
        while (need_aw || need_w) {
            if (need_aw && go()) {
                top->s_axil_awvalid = 1;
                top->s_axil_awaddr = (SData)offset;
            }
            if (need_w && go()) {
                top->s_axil_wvalid = 1;
                top->s_axil_wdata = value;
                top->s_axil_wstrb = (CData)strobes;
            }
            tick();
            if (aw)
                top->s_axil_awvalid = need_aw = false;
            if (w)
                top->s_axil_wvalid = need_w = false;
        }
        for (b = false; !b;) {
            top->s_axil_bready = go();
            tick();
        }
        top->s_axil_bready = 0;
        return bresp;
    }

    uint32_t read(unsigned offset)
    {
        while (!go())
            tick();
        top->s_axil_arvalid = 1;
        top->s_axil_araddr = (SData)offset;
        for (ar = false; !ar;)
            tick();
        top->s_axil_arvalid = 0;
        for (r = false; !r;) {
            top->s_axil_rready = go();
            tick();
        }
        top->s_axil_rready = 0;
        return rdata;
    }

    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vshell> top;
    std::unique_ptr<Dram> dram;
    long now = 0, limit = LONG_MAX;

  private:
    bool go() { return !stalls || rng.next() % 2; }
    void dump()
    {
#if VM_TRACE
        if (fst)
            fst->dump(context->time());
#endif
        context->timeInc(1);
    }
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> fst;
#endif
    Random rng;
    bool stalls, aw = false, w = false, b = false, ar = false, r = false;
    uint32_t rdata = 0, bresp = 0;
};

// The program: queues frames, takes interrupts, compares results.
class Program {
  public:
    Program(System &system, Reference &ref, long patience_) : s(system), reference(ref), frames(ref.frames), patience(patience_)
    {
#define PORT(name, stream) ports.push_back(stream);
        PROBE_INPUTS(PORT)
        n_inputs = ports.size();
        PROBE_OUTPUTS(PORT)
#undef PORT
    }

    void run(long reset_at)
    {
        progress();
        identify();
        place();
        s.write(AIHLS_SHELL_IRQ_ENABLE, AIHLS_SHELL_IRQ_DONE | AIHLS_SHELL_IRQ_ERROR);
        load();
        s.write(AIHLS_SHELL_CONTROL, AIHLS_SHELL_CONTROL_RUN);
        long resets = reset_at ? 2 : 0;
        while (done < frames) {
            queue();
            while (!s.top->irq && !(resets && s.now >= reset_at * (3 - resets)))
                s.tick();
            if (resets && s.now >= reset_at * (3 - resets))
                reset(resets-- == 2);
            if (s.top->irq)
                interrupt();
        }
        finish();
    }

    bool write(const char *path, const char *failure) const
    {
        FILE *f = fopen(path, "w");
        if (!f)
            return false;
        fprintf(f, "{\n\"frames\": %ld,\n\"cycles\": %ld,\n\"marked\": %ld,\n\"faults\": %ld,\n\"bursts\": %ld,\n\"bytes_read\": %ld,\n\"bytes_written\": %ld",
                done, s.now, marked, s.dram->faulty_bursts, s.dram->bursts, s.dram->bytes_read, s.dram->bytes_written);
        reference.write(f);
        write_list(f, "latency", latency);
        write_list(f, "interval", interval);
        write_list(f, "stalls", stalls);
        if (failure) {
            fprintf(f, ",\n\"failure\": \"");
            for (const char *c = failure; *c; c++)
                fputc(*c == '"' || *c == '\\' || *c < ' ' ? '?' : *c, f);
            fprintf(f, "\"");
        }
        fprintf(f, "\n}\n");
        bool ok = !ferror(f);
        return fclose(f) == 0 && ok;
    }

  private:
    const std::vector<uint8_t> code = code_bytes();

    void progress() { s.limit = s.now + patience + 32 * (long)code.size(); }

    void expect(const char *what, uint32_t have, uint32_t want)
    {
        if (have != want)
            fail("cycle %ld: %s is %08x and should be %08x", s.now, what, have, want);
    }

    void identify()
    {
        static const uint32_t model[8] = MODEL_WORDS;
        expect("MAGIC", s.read(AIHLS_SHELL_MAGIC), AIHLS_SHELL_MAGIC_VALUE);
        expect("VERSION", s.read(AIHLS_SHELL_VERSION), AIHLS_SHELL_VERSION_VALUE);
        const uint32_t shape = s.read(AIHLS_SHELL_SHAPE);
        slots = shape >> 16 & 255;
        expect("SHAPE", shape, (uint32_t)(n_inputs | (ports.size() - n_inputs) << 8 | WORD_BYTES << 24) | (uint32_t)slots << 16);
        expect("COUNTERS", s.read(AIHLS_SHELL_COUNTERS), 2 * N_STREAMS);
        for (unsigned i = 0; i < 8; i++)
            expect("MODEL", s.read(AIHLS_SHELL_MODEL(i)), model[i]);
        expect("STATUS", s.read(AIHLS_SHELL_STATUS), AIHLS_SHELL_STATUS_IDLE);
        expect("a register that is not there", s.read(0x0ffc), 0);
        expect("the answer to half a word", s.write(AIHLS_SHELL_CONTROL, 1, 3), 2);
        expect("CONTROL", s.read(AIHLS_SHELL_CONTROL), 0);
        s.write(AIHLS_SHELL_TAIL, (uint32_t)slots + 1); // more than there is room for
        expect("ERRORS", s.read(AIHLS_SHELL_ERRORS), AIHLS_SHELL_ERROR_RING);
        expect("TAIL", s.read(AIHLS_SHELL_TAIL), 0);
        s.write(AIHLS_SHELL_ERRORS, AIHLS_SHELL_ERROR_RING);
        s.write(AIHLS_SHELL_IRQ_PENDING, AIHLS_SHELL_IRQ_ERROR);
    }

    // A buffer for every port and frame; inputs are filled.
    void place()
    {
        for (long f = 0; f < frames; f++)
            for (size_t p = 0; p < ports.size(); p++) {
                const uint64_t base = s.dram->place(bytes(p), f, (int)p, p < n_inputs);
                where.push_back(base);
                if (p < n_inputs)
                    memcpy(s.dram->at(base), reference.wanted(ports[p], f), bytes(p));
            }
    }

    size_t bytes(size_t port) const { return reference.streams[ports[port]].bytes; }
    uint64_t base(long frame, size_t port) const { return where[(size_t)frame * ports.size() + port]; }

    // Fills the free slots.
    void queue()
    {
        const long before = tail;
        for (; tail < frames && tail - done < slots; tail++)
            for (unsigned p = 0; p < ports.size(); p++) {
                s.write(AIHLS_SHELL_ADDRESS((unsigned)(tail % slots), p), (uint32_t)base(tail, p));
                s.write(AIHLS_SHELL_ADDRESS_HIGH((unsigned)(tail % slots), p), (uint32_t)(base(tail, p) >> 32));
            }
        if (tail != before)
            s.write(AIHLS_SHELL_TAIL, (uint32_t)tail);
    }

    void interrupt()
    {
        const uint32_t pending = s.read(AIHLS_SHELL_IRQ_PENDING);
        if (!pending)
            fail("cycle %ld: an interrupt without a cause", s.now);
        s.write(AIHLS_SHELL_IRQ_PENDING, pending);
        take();
    }

    // The frames that are done.
    void take()
    {
        for (const long ended = (long)s.read(AIHLS_SHELL_DONE); done < ended; done++) {
            progress();
            const unsigned slot = (unsigned)(done % slots);
            const uint32_t status = s.read(AIHLS_SHELL_SLOT_STATUS(slot));
            const unsigned errors = s.dram->expected.count(done) ? s.dram->expected[done] : 0;
            expect("SLOT_STATUS", status, (uint32_t)(done & 0xffff) << 16 | errors);
            latency.push_back((long)s.read(AIHLS_SHELL_SLOT_LATENCY(slot)));
            interval.push_back((long)s.read(AIHLS_SHELL_SLOT_INTERVAL(slot)));
            marked += errors != 0;
            for (size_t p = n_inputs; p < ports.size() && !errors; p++)
                compare(done, p);
        }
    }

    void compare(long frame, size_t p)
    {
        const uint8_t *have = s.dram->at(base(frame, p));
        reference.compare(ports[p], frame, 0, have, bytes(p), s.now);
        for (size_t i = bytes(p); i < bytes(p) + 64; i++)
            if (have[i] != 0xa5)
                fail("frame %ld: output %zu was written beyond its end", frame, p - n_inputs);
    }

    void load()
    {
        for (uint8_t byte : code)
            s.write(AIHLS_SHELL_CODE, byte);
        progress();
    }

    void reset(bool drop)
    {
        const uint32_t before = s.read(AIHLS_SHELL_DONE);
        s.write(AIHLS_SHELL_CONTROL, AIHLS_SHELL_CONTROL_RESET | (drop ? AIHLS_SHELL_CONTROL_DROP : 0));
        while (s.read(AIHLS_SHELL_CONTROL) & AIHLS_SHELL_CONTROL_RESET)
            ;
        const uint32_t after = s.read(AIHLS_SHELL_DONE);
        if (after < before)
            fail("cycle %ld: a reset took back frames that were done", s.now);
        take();
        s.dram->expected.erase(s.dram->expected.lower_bound(done), s.dram->expected.end());
        if (drop)
            tail = done;
        expect("TAIL behind a reset", s.read(AIHLS_SHELL_TAIL), (uint32_t)tail);
        load();
        s.write(AIHLS_SHELL_CONTROL, AIHLS_SHELL_CONTROL_RUN);
    }

    void finish()
    {
        while (!(s.read(AIHLS_SHELL_STATUS) & AIHLS_SHELL_STATUS_IDLE))
            ;
        expect("ERRORS", s.read(AIHLS_SHELL_ERRORS), s.dram->injected);
        const uint32_t low = s.read(AIHLS_SHELL_CYCLES);
        if (low + 64 < s.now || low > s.now || s.read(AIHLS_SHELL_CYCLES_HIGH))
            fail("CYCLES is %u in cycle %ld", low, s.now);
        for (unsigned i = 0; i < 2 * N_STREAMS; i++)
            stalls.push_back((long)s.read(AIHLS_SHELL_COUNTER(i)));
    }

    System &s;
    Reference &reference;
    long frames, patience, done = 0, tail = 0, slots = 0, marked = 0;
    size_t n_inputs = 0;
    std::vector<size_t> ports; // their streams
    std::vector<uint64_t> where;
    std::vector<long> latency, interval, stalls;
};

int main(int argc, char **argv)
{
    if (argc < 10) {
        fprintf(stderr, "usage: %s REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED FAULT_SEED PATIENCE RESULT [TRACE]\n", argv[0]);
        return 2;
    }
    System system((int)(atoll(argv[3]) % INT_MAX) + 1, strtoull(argv[6], nullptr, 10), strtoull(argv[7], nullptr, 10), argc > 10 ? argv[10] : nullptr);
    Reference reference(atol(argv[2]));
    Program program(system, reference, atol(argv[8]));
    if (!reference.read(argv[1])) {
        fprintf(stderr, "shell: cannot read %s\n", argv[1]);
        return 2;
    }
    std::string failure;
    try {
        system.reset(atol(argv[4]));
        program.run(atol(argv[5]));
    } catch (const Failure &f) {
        failure = f.text;
    }
    if (!program.write(argv[9], failure.empty() ? nullptr : failure.c_str())) {
        fprintf(stderr, "shell: cannot write %s\n", argv[9]);
        return 2;
    }
    return 0;
}
