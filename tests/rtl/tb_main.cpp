// SPDX-License-Identifier: Apache-2.0
// Clock and reset for a generated top: runs until every case is done, fails if one failed.
#include "Vtop.h"
#include "verilated.h"
#include <cstdio>
#include <cstdlib>

int main(int argc, char **argv)
{
    Verilated::commandArgs(argc, argv);
    long limit = argc > 1 ? atol(argv[1]) : 3000000;
    int reset_cycles = argc > 2 ? atoi(argv[2]) : 1;
    auto *top = new Vtop;
    long cycle = 0;
    for (; cycle < limit; cycle++) {
        top->rst = cycle < reset_cycles;
        top->clk = 0;
        top->eval();
        top->clk = 1;
        top->eval();
        if (cycle > reset_cycles && top->done)
            break;
    }
    bool good = cycle < limit && !top->fail;
    printf("%s after %ld cycles\n", good ? "pass" : cycle < limit ? "FAIL" : "FAIL: time-out",
           cycle);
    top->final();
    delete top;
    return good ? 0 : 1;
}
