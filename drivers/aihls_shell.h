// SPDX-License-Identifier: Apache-2.0
// aihls_shell: the registers of NAME_axi, the accelerator behind AXI4 (docs/80-shell.md says what they do). Byte offsets
// of 32-bit registers in an aperture of 64 KB; only whole words are read and written. The same for every network.
#ifndef AIHLS_SHELL_H
#define AIHLS_SHELL_H

#define AIHLS_SHELL_APERTURE_BYTES 65536
#define AIHLS_SHELL_ALIGNMENT 64 // of every buffer's address
#define AIHLS_SHELL_MAX_PORTS 64 // inputs and outputs together

// Who is there.
#define AIHLS_SHELL_MAGIC 0x0000    // R: AIHLS_SHELL_MAGIC_VALUE
#define AIHLS_SHELL_VERSION 0x0004  // R: major << 16 | minor; another major is another map
#define AIHLS_SHELL_SHAPE 0x0008    // R: inputs | outputs << 8 | slots << 16 | bytes of a bus word << 24
#define AIHLS_SHELL_COUNTERS 0x000c // R: how many stall counters there are
#define AIHLS_SHELL_MODEL(i) (0x0010 + 4 * (i)) // R: i = 0 .. 7, aihls_network.model_sha256, eight hexadecimal digits each

#define AIHLS_SHELL_MAGIC_VALUE 0x4c484941u
#define AIHLS_SHELL_VERSION_VALUE 0x00010001u

// What goes on.
#define AIHLS_SHELL_CONTROL 0x0030     // RW
#define AIHLS_SHELL_STATUS 0x0034      // R
#define AIHLS_SHELL_ERRORS 0x0038      // R, write 1 to clear
#define AIHLS_SHELL_IRQ_ENABLE 0x003c  // RW
#define AIHLS_SHELL_IRQ_PENDING 0x0040 // R, write 1 to clear
#define AIHLS_SHELL_TAIL 0x0044        // RW: frames queued since power-up; writing it starts them
#define AIHLS_SHELL_DONE 0x0048        // R: frames done since power-up
#define AIHLS_SHELL_CYCLES 0x004c      // R: cycles since power-up, low half; reading it keeps the high half
#define AIHLS_SHELL_CYCLES_HIGH 0x0050 // R: as of the last reading of CYCLES
#define AIHLS_SHELL_CODE 0x0054        // W: the next byte of what the network needs behind a reset (aihls_network.code)

#define AIHLS_SHELL_CONTROL_RUN 1u   // take frames from the ring
#define AIHLS_SHELL_CONTROL_RESET 2u // reset the pipeline; reads as 1 until that is over
#define AIHLS_SHELL_CONTROL_DROP 4u  // with RESET: TAIL becomes DONE; without DROP frames that are not done start again

#define AIHLS_SHELL_STATUS_RESETTING 1u
#define AIHLS_SHELL_STATUS_IDLE 2u // no frame is queued or under way, and no transfer on the bus

#define AIHLS_SHELL_ERROR_READ_SLAVE 1u   // SLVERR on a read
#define AIHLS_SHELL_ERROR_READ_DECODE 2u  // DECERR on a read
#define AIHLS_SHELL_ERROR_WRITE_SLAVE 4u
#define AIHLS_SHELL_ERROR_WRITE_DECODE 8u
#define AIHLS_SHELL_ERROR_RING 16u // TAIL was written with more than `slots` frames ahead of DONE, or behind it; it did not change

#define AIHLS_SHELL_IRQ_DONE 1u  // DONE has changed
#define AIHLS_SHELL_IRQ_ERROR 2u // a bit of ERRORS was set

// Slot i: what became of the last frame that it held.
#define AIHLS_SHELL_SLOT_STATUS(i) (0x1000 + 16 * (i))   // R: bits below, and the low half of the frame's number << 16
#define AIHLS_SHELL_SLOT_LATENCY(i) (0x1004 + 16 * (i))  // R: cycles, first beat into the pipeline to the last write's response
#define AIHLS_SHELL_SLOT_INTERVAL(i) (0x1008 + 16 * (i)) // R: cycles since the end of the frame before; 0 for the first

#define AIHLS_SHELL_SLOT_READ_ERROR 1u  // the outputs are worth nothing
#define AIHLS_SHELL_SLOT_WRITE_ERROR 2u // the outputs are not, or not all, in memory

// Counter 2 * s: cycles in which stream s had data that nobody took; 2 * s + 1: cycles in which its reader waited for data.
#define AIHLS_SHELL_COUNTER(i) (0x2000 + 4 * (i)) // R

// Where slot i has its buffers; port p counts inputs, then outputs.
#define AIHLS_SHELL_ADDRESS(i, p) (0x4000 + 512 * (i) + 8 * (p))      // W: low half
#define AIHLS_SHELL_ADDRESS_HIGH(i, p) (0x4004 + 512 * (i) + 8 * (p)) // W: high half

#endif
