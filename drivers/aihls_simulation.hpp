// SPDX-License-Identifier: Apache-2.0
// aihls_simulation: the back end that runs the design's Verilog as Verilator translated it. C++ because Verilator's
// output is; what users call stays C. The compiler writes NAME_simulation.cpp, which says how the model's wires
// are called:
//
//     const struct aihls_backend NAME_simulation = aihls_simulation<VNAME>(&design);
//
// A cycle is simulated only while a frame is under way, in the thread that waits. Frames follow each other without a
// gap as far as they are in the queue, so that cycles are those of the hardware. A design that moves nothing for a
// long time is reset, and the frames under way are lost.
#ifndef AIHLS_SIMULATION_HPP
#define AIHLS_SIMULATION_HPP

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "aihls_backend.h"
#include "verilated.h"

// A stream's wires in the model; data holds `lanes` bytes, little endian.
struct AihlsWires {
    void *data;
    CData *valid, *ready;
};

template <class Model> struct AihlsDesign {
    void (*connect)(Model &top, AihlsWires *inputs, AihlsWires *outputs); // in the order of the network's ports; behind the
                                                                          // inputs the code's, where there is one
    const char *root;          // the compiler's output directory: memory images are read from there
    const char *const *images; // relative to root, NULL behind the last
};

template <class Model> class AihlsSimulation {
  public:
    explicit AihlsSimulation(aihls_device *d) : device(d), top(&context), inputs((size_t)d->net->n_inputs), outputs((size_t)d->net->n_outputs), progress((size_t)d->n_slots)
    {
        std::vector<AihlsWires> in(inputs.size() + 1), out(outputs.size());
        static_cast<const AihlsDesign<Model> *>(d->backend->design)->connect(top, in.data(), out.data());
        for (size_t i = 0; i < inputs.size(); i++)
            inputs[i].wires = in[i];
        code = in.back();
        for (size_t i = 0; i < out.size(); i++)
            outputs[i].wires = out[i];
        patience = 100000 + 20 * d->net->frame_cycles;
        reset();
    }

    ~AihlsSimulation() { top.final(); }

    void reload() { reset(); }

    void submit(const aihls_slot *s)
    {
        progress[(size_t)(s - device->slots)] = Progress{ -1, (int)outputs.size() };
        end = s->ticket + 1;
    }

    aihls_status wait(const aihls_slot *s, int64_t timeout_us)
    {
        using clock = std::chrono::steady_clock;
        const clock::time_point start = clock::now();
        for (int64_t n = 1; s->state == AIHLS_SLOT_BUSY; n++) {
            cycle();
            if (idle_cycles > patience)
                give_up();
            if (n % quantum == 0 && timeout_us >= 0 && s->state == AIHLS_SLOT_BUSY && clock::now() - start >= std::chrono::microseconds(timeout_us))
                return AIHLS_E_TIMEOUT;
        }
        return AIHLS_OK;
    }

  private:
    static constexpr int64_t quantum = 256; // cycles between two looks at the clock
    static constexpr int reset_cycles = 8;

    struct Port {
        AihlsWires wires;
        uint64_t ticket = 1; // the frame that it carries or will carry next
        int32_t byte = 0;    // of that frame
    };
    struct Progress { // of a slot's frame
        int64_t first_cycle;
        int outputs_left;
    };

    aihls_device *device;
    VerilatedContext context;
    Model top;
    std::vector<Port> inputs, outputs;
    AihlsWires code = {};
    std::vector<Progress> progress;
    uint64_t end = 1; // frames before this ticket were submitted
    int64_t patience, idle_cycles = 0, last_end = -1;

    size_t slot_of(uint64_t ticket) const { return (size_t)((ticket - 1) % (uint64_t)device->n_slots); }

    void clock_edge()
    {
        top.clk = 1;
        top.eval();
        context.timeInc(1);
        top.clk = 0;
        context.timeInc(1);
        device->cycles++;
    }

    void reset()
    {
        for (Port &p : inputs)
            *p.wires.valid = 0;
        for (Port &p : outputs)
            *p.wires.ready = 0;
        if (code.valid)
            *code.valid = 0;
        top.clk = 0;
        top.rst = 1;
        for (int i = 0; i < reset_cycles; i++) {
            top.eval();
            clock_edge();
        }
        top.rst = 0;
        load();
    }

    // What the hardware needs before the first frame.
    void load()
    {
        for (int32_t i = 0; device->code && i < device->net->code_bytes; i++) {
            *code.valid = 1;
            memcpy(code.data, device->code + i, 1);
            top.eval();
            if (!*code.ready) // it takes a byte a cycle, or none
                break;
            clock_edge();
            *code.valid = 0;
        }
    }

    // One cycle: wires are set and settle, what transfers is noted, the clock rises.
    void cycle()
    {
        for (size_t i = 0; i < inputs.size(); i++) {
            Port &p = inputs[i];
            *p.wires.valid = p.ticket < end;
            if (p.ticket < end)
                memcpy(p.wires.data, device->slots[slot_of(p.ticket)].in[i] + p.byte, (size_t)device->net->inputs[i].lanes);
        }
        for (Port &p : outputs)
            *p.wires.ready = p.ticket < end;
        top.eval();
        bool moved = false;
        for (size_t i = 0; i < inputs.size(); i++)
            if (*inputs[i].wires.valid && *inputs[i].wires.ready) {
                moved = true;
                Progress &f = progress[slot_of(inputs[i].ticket)];
                f.first_cycle = f.first_cycle < 0 ? device->cycles : f.first_cycle;
                advance(inputs[i], device->net->inputs[i]);
            }
        for (size_t i = 0; i < outputs.size(); i++)
            if (*outputs[i].wires.valid && *outputs[i].wires.ready) {
                moved = true;
                take(i);
            }
        idle_cycles = moved ? 0 : idle_cycles + 1;
        clock_edge();
    }

    // True when that was the frame's last beat.
    static bool advance(Port &p, const aihls_port &port)
    {
        p.byte += port.lanes;
        if (p.byte < port.bytes)
            return false;
        p.byte = 0;
        p.ticket++;
        return true;
    }

    void take(size_t i)
    {
        Port &p = outputs[i];
        const aihls_port &port = device->net->outputs[i];
        const size_t k = slot_of(p.ticket);
        aihls_slot &s = device->slots[k];
        memcpy(s.out[i] + p.byte, p.wires.data, (size_t)port.lanes);
        if (!advance(p, port) || --progress[k].outputs_left)
            return;
        s.frame.latency_cycles = device->cycles - progress[k].first_cycle;
        s.frame.interval_cycles = last_end < 0 ? 0 : device->cycles - last_end;
        last_end = device->cycles;
        s.state = AIHLS_SLOT_DONE;
    }

    void give_up()
    {
        for (int32_t i = 0; i < device->n_slots; i++)
            if (device->slots[i].state == AIHLS_SLOT_BUSY)
                device->slots[i].state = AIHLS_SLOT_LOST;
        for (std::vector<Port> *ports : { &inputs, &outputs })
            for (Port &p : *ports) {
                p.ticket = end;
                p.byte = 0;
            }
        idle_cycles = 0;
        last_end = -1;
        reset();
    }
};

// ---- the functions of aihls_backend.h; the state is a pointer to the simulation ----

template <class Model> size_t aihls_simulation_state_bytes(const aihls_backend *, const aihls_network *)
{
    return sizeof(AihlsSimulation<Model> *);
}

// A memory image that is missing would be zeros to the model, and a warning.
template <class Model> bool aihls_simulation_images(const AihlsDesign<Model> &design)
{
    bool there = true;
    for (const char *const *image = design.images; there && *image; image++) {
        FILE *f = fopen((std::string(design.root) + "/" + *image).c_str(), "rb");
        there = f != nullptr;
        if (f)
            fclose(f);
    }
    return there;
}

template <class Model> aihls_status aihls_simulation_open(aihls_device *d)
{
    try {
        if (!aihls_simulation_images(*static_cast<const AihlsDesign<Model> *>(d->backend->design)))
            return AIHLS_E_BACKEND;
        *static_cast<AihlsSimulation<Model> **>(d->state) = new AihlsSimulation<Model>(d);
        return AIHLS_OK;
    } catch (const std::bad_alloc &) {
        return AIHLS_E_MEMORY;
    }
}

template <class Model> aihls_status aihls_simulation_submit(aihls_device *d, aihls_slot *s)
{
    (*static_cast<AihlsSimulation<Model> **>(d->state))->submit(s);
    return AIHLS_OK;
}

template <class Model> aihls_status aihls_simulation_wait(aihls_device *d, aihls_slot *s, int64_t timeout_us)
{
    return (*static_cast<AihlsSimulation<Model> **>(d->state))->wait(s, timeout_us);
}

template <class Model> void aihls_simulation_close(aihls_device *d)
{
    delete *static_cast<AihlsSimulation<Model> **>(d->state);
}

template <class Model> aihls_status aihls_simulation_reload(aihls_device *d)
{
    (*static_cast<AihlsSimulation<Model> **>(d->state))->reload();
    return AIHLS_OK;
}

template <class Model> constexpr aihls_backend aihls_simulation(const AihlsDesign<Model> *design)
{
    return aihls_backend{ "simulation", design, aihls_simulation_state_bytes<Model>, aihls_simulation_open<Model>,
                          aihls_simulation_submit<Model>, aihls_simulation_wait<Model>, aihls_simulation_close<Model>, aihls_simulation_reload<Model> };
}

#endif
