// SPDX-License-Identifier: Apache-2.0
// ipxact: NAME_ip as a component of IEEE 1685-2009 (IP-XACT), the form of Vivado's catalogue: buses with their port maps,
// registers, address space, files. Paths are relative to project/ip/.
#ifndef AIHLS_IPXACT_H
#define AIHLS_IPXACT_H

#include "hls/design.h"

// Which bus a port of `axi` belongs to, and as what: "s_axil", "AWADDR". False: clk, aresetn, irq.
bool ipxact_bus(struct arena *a, const struct port *p, const char **bus, const char **logical);

// The text of component.xml. axi: shell_axi(d); rtl: as project_emit's.
void ipxact_print(const struct design *d, struct arena *a, const struct netlist *axi, const char *rtl, struct strbuf *out);

#endif
