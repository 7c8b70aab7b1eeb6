// SPDX-License-Identifier: Apache-2.0
// shim: what a board is to libaihls, around the Verilated NAME_axi: registers (aihls_register_read and _write, which the library
// calls when it is compiled with AIHLS_REGISTER_FUNCTIONS), memory with caches in front of it, interrupt, and for the
// back end "linux" the files of UIO and u-dma-buf (link with --wrap=mmap,poll,read,write,pwrite). Simulated cycles pass
// with each access to a register and while the program waits.
//
// Caches: what the program sees and what the accelerator sees are two arrays. Only flush and invalidate carry bytes from
// one to the other, so that one that was forgotten shows. A checker of the bus is not here: `aihls sim --shell axi` has it.
#include "Vaxi.h"
#include "shim.h"
#include "verilated.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "libaihls/aihls_bare.h"
#include "libaihls/aihls_shell.h"

static constexpr uint64_t BASE = 0x10000000; // where the accelerator sees memory
static constexpr size_t BYTES = 1 << 20;

[[noreturn]] static void die(const char *what)
{
    fprintf(stderr, "shim: %s\n", what);
    exit(99);
}

struct Burst {
    uint64_t address;
    unsigned words, id;
    bool bad;
};

// The board: accelerator, memory, clock.
class Board {
  public:
    struct shim_faults faults = {};

    Board() : top(&context), dram(BYTES, 0xee)
    {
        top.aresetn = 0;
        top.s_axil_bready = top.s_axil_rready = 1;
        for (int i = 0; i < 20; i++)
            cycle();
        top.aresetn = 1;
        cycle();
    }
    ~Board() { top.final(); }

    void cycle()
    {
        drive();
        top.clk = 0;
        top.eval();
        observe();
        top.clk = 1;
        top.eval();
    }

    uint32_t read(uint32_t offset)
    {
        top.s_axil_araddr = (SData)offset;
        top.s_axil_arvalid = 1;
        pass(top.s_axil_arready);
        top.s_axil_arvalid = 0;
        uint32_t value = 0;
        for (;;) {
            settle();
            const bool last = top.s_axil_rvalid;
            value = top.s_axil_rdata;
            cycle();
            if (last)
                return value;
        }
    }

    void write(uint32_t offset, uint32_t value)
    {
        top.s_axil_awaddr = (SData)offset;
        top.s_axil_wdata = value;
        top.s_axil_wstrb = 15;
        top.s_axil_awvalid = top.s_axil_wvalid = 1;
        bool address = true, data = true;
        while (address || data) {
            settle();
            const bool took_address = top.s_axil_awready, took_data = top.s_axil_wready;
            cycle();
            if (took_address)
                address = false, top.s_axil_awvalid = 0;
            if (took_data)
                data = false, top.s_axil_wvalid = 0;
        }
        pass(top.s_axil_bvalid);
    }

    bool interrupt() const { return top.irq; }
    uint8_t *memory() { return dram.data(); }

  private:
    VerilatedContext context;
    Vaxi top;
    std::vector<uint8_t> dram;
    std::deque<Burst> reads, writes;
    std::deque<Burst> answers;
    unsigned long now = 0;
    long n_bursts = 0;

    // Combinational outputs for this cycle's inputs.
    void settle()
    {
        drive();
        top.clk = 0;
        top.eval();
    }
    // Cycles until a transfer that waits only for `ready`.
    void pass(const CData &ready)
    {
        for (;;) {
            settle();
            const bool done = ready;
            cycle();
            if (done)
                return;
        }
    }

    uint8_t *at(uint64_t address, size_t n)
    {
        if (address < BASE || address + n > BASE + BYTES)
            die("the accelerator went outside its memory");
        return &dram[address - BASE];
    }

    // The memory answers a burst at a time, in order, with a pause now and then.
    void drive()
    {
        const bool go = now % 7 != 3;
        top.m_axi_arready = !faults.deaf && go && reads.size() < 4;
        top.m_axi_awready = !faults.deaf && go && writes.size() < 4;
        top.m_axi_wready = !writes.empty() && now % 5 != 2;
        top.m_axi_rvalid = !reads.empty() && go;
        if (top.m_axi_rvalid) {
            const Burst &b = reads.front();
            memcpy(&top.m_axi_rdata, at(b.address, sizeof top.m_axi_rdata), sizeof top.m_axi_rdata);
            top.m_axi_rid = (CData)b.id;
            top.m_axi_rlast = b.words == 1;
            top.m_axi_rresp = b.bad ? 2 : 0;
        }
        top.m_axi_bvalid = !answers.empty();
        if (top.m_axi_bvalid) {
            top.m_axi_bid = (CData)answers.front().id;
            top.m_axi_bresp = answers.front().bad ? 3 : 0;
        }
    }

    // What transfers at the coming edge.
    void observe()
    {
        const size_t word = sizeof top.m_axi_wdata;
        if (top.m_axi_bvalid && top.m_axi_bready)
            answers.pop_front();
        if (top.m_axi_rvalid && top.m_axi_rready) {
            Burst &b = reads.front();
            b.address += word;
            if (--b.words == 0)
                reads.pop_front();
        }
        if (top.m_axi_wvalid && top.m_axi_wready) {
            Burst &b = writes.front();
            const uint64_t strobes = (uint64_t)top.m_axi_wstrb;
            for (size_t i = 0; i < word; i++)
                if (strobes >> i & 1)
                    *at(b.address + i, 1) = ((const uint8_t *)&top.m_axi_wdata)[i];
            b.address += word;
            if (--b.words == 0) {
                answers.push_back(b);
                writes.pop_front();
            }
        }
        if (top.m_axi_arvalid && top.m_axi_arready)
            reads.push_back(take(top.m_axi_araddr, top.m_axi_arlen, top.m_axi_arid, faults.bad_read));
        if (top.m_axi_awvalid && top.m_axi_awready)
            writes.push_back(take(top.m_axi_awaddr, top.m_axi_awlen, top.m_axi_awid, faults.bad_write));
        now++;
    }

    Burst take(uint64_t address, unsigned len, unsigned id, int &countdown)
    {
        const bool bad = countdown > 0 && --countdown == 0;
        n_bursts++;
        return Burst{ address, len + 1, id, bad };
    }
};

static Board &board()
{
    static Board b;
    return b;
}

extern "C" struct shim_faults *shim_faults(void)
{
    return &board().faults;
}

// ---- registers ----

alignas(4096) static uint8_t token[AIHLS_SHELL_APERTURE_BYTES];
static volatile uint32_t *registers = (volatile uint32_t *)token; // of the accelerator; any others are memory

extern "C" uint32_t aihls_register_read(volatile uint32_t *base, uint32_t offset)
{
    return base == registers ? board().read(offset) : base[offset / 4];
}

extern "C" void aihls_register_write(volatile uint32_t *base, uint32_t offset, uint32_t value)
{
    if (base == registers)
        board().write(offset, value);
    else
        base[offset / 4] = value;
}

// ---- memory as the program sees it ----

alignas(4096) static uint8_t bare_memory[BYTES];
static uint8_t *program_memory = bare_memory;

static void carry(size_t offset, size_t n, bool to_device)
{
    if (offset > BYTES || n > BYTES - offset || offset % AIHLS_SHELL_ALIGNMENT || n % AIHLS_SHELL_ALIGNMENT)
        die("caches were to be synchronised in a range that is not made of lines");
    if (to_device)
        memcpy(board().memory() + offset, program_memory + offset, n);
    else
        memcpy(program_memory + offset, board().memory() + offset, n);
}

// ---- the back end "bare" ----

static void flush(void *, void *data, size_t n)
{
    carry((size_t)((uint8_t *)data - program_memory), n, true);
}
static void invalidate(void *, void *data, size_t n)
{
    carry((size_t)((uint8_t *)data - program_memory), n, false);
}
static int64_t now_us(void *)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

extern "C" const struct aihls_axi_machine *aihls_bare_machine(void)
{
    static struct aihls_axi_machine m;
    m.registers = registers;
    m.memory = bare_memory;
    m.memory_address = BASE;
    m.memory_bytes = sizeof bare_memory;
    m.flush = flush;
    m.invalidate = invalidate;
    m.now_us = now_us;
    return &m;
}

// ---- the files of the back end "linux": the accelerator is uio1, its memory udmabuf0 ----

static std::string path_of(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path);
    return n > 0 ? std::string(path, (size_t)n) : std::string();
}

static bool is(int fd, const char *end)
{
    const std::string p = path_of(fd);
    return p.size() >= strlen(end) && p.compare(p.size() - strlen(end), std::string::npos, end) == 0;
}

extern "C" {
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_poll(struct pollfd *, nfds_t, int);
ssize_t __real_read(int, void *, size_t);
ssize_t __real_write(int, const void *, size_t);

void *__wrap_mmap(void *address, size_t n, int protection, int flags, int fd, off_t offset)
{
    void *p = __real_mmap(address, n, protection, flags, fd, offset);
    if (fd >= 0 && is(fd, "/dev/uio1"))
        registers = (volatile uint32_t *)p;
    else if (p == registers) // the place is another's now
        registers = (volatile uint32_t *)token;
    if (fd >= 0 && is(fd, "/dev/udmabuf0"))
        program_memory = (uint8_t *)p;
    return p;
}

// The clock goes on until there is an interrupt. Every third time a signal comes first.
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
    static int calls;
    if (n != 1 || !is(p->fd, "/dev/uio1"))
        return __real_poll(p, n, timeout_ms);
    if (++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    for (const int64_t end = now_us(nullptr) + (int64_t)timeout_ms * 1000; !board().interrupt();) {
        for (int i = 0; i < 64 && !board().interrupt(); i++)
            board().cycle();
        if (now_us(nullptr) > end)
            return 0;
    }
    p->revents = POLLIN;
    return 1;
}

ssize_t __wrap_read(int fd, void *to, size_t n)
{
    if (!is(fd, "/dev/uio1"))
        return __real_read(fd, to, n);
    memset(to, 0, n);
    return (ssize_t)n;
}

ssize_t __wrap_write(int fd, const void *from, size_t n)
{
    return is(fd, "/dev/uio1") ? (ssize_t)n : __real_write(fd, from, n);
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t n, off_t)
{
    static size_t offset, size;
    const size_t v = strtoul(std::string((const char *)from, n).c_str(), nullptr, 0);
    if (is(fd, "/sync_offset"))
        offset = v;
    else if (is(fd, "/sync_size"))
        size = v;
    else if (is(fd, "/sync_for_device"))
        carry(offset, size, true);
    else if (is(fd, "/sync_for_cpu"))
        carry(offset, size, false);
    else if (!is(fd, "/sync_direction"))
        die("an unknown file was written");
    return (ssize_t)n;
}
}
