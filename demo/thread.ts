/** A thread of the CPU backend, as a file of the page. */

import "../backends/cpu/worker.ts";
