/** NVRTC's functions, `nvrtc.h`: CUDA C to the machine code of one kind of card. */

import { status } from "./table.ts";

/** One entry a function. */
export const NVRTC_FUNCTIONS = {
  nvrtcGetErrorString: {
    parameters: [
      "i32", // nvrtcResult result
    ],
    result: "pointer", // const char*
  },
  nvrtcVersion: status(
    "buffer", // int* major
    "buffer", // int* minor
  ),
  nvrtcGetNumSupportedArchs: status(
    "buffer", // int* numArchs
  ),
  nvrtcGetSupportedArchs: status(
    "buffer", // int* supportedArchs
  ),
  nvrtcCreateProgram: status(
    "buffer", // nvrtcProgram* prog
    "buffer", // const char* src
    "buffer", // const char* name
    "i32", // int numHeaders
    "buffer", // const char* const* headers
    "buffer", // const char* const* includeNames
  ),
  nvrtcCompileProgram: status(
    "u64", // nvrtcProgram prog
    "i32", // int numOptions
    "buffer", // const char* const* options
  ),
  nvrtcGetProgramLogSize: status(
    "u64", // nvrtcProgram prog
    "buffer", // size_t* logSizeRet
  ),
  nvrtcGetProgramLog: status(
    "u64", // nvrtcProgram prog
    "buffer", // char* log
  ),
  nvrtcGetCUBINSize: status(
    "u64", // nvrtcProgram prog
    "buffer", // size_t* cubinSizeRet
  ),
  nvrtcGetCUBIN: status(
    "u64", // nvrtcProgram prog
    "buffer", // char* cubin
  ),
  nvrtcDestroyProgram: status(
    "buffer", // nvrtcProgram* prog
  ),
} as const;

/** NVRTC's functions, opened. */
export type Nvrtc = Deno.DynamicLibrary<typeof NVRTC_FUNCTIONS>["symbols"];

/** Values of enums, by their names in C. */
export const NVRTC_VALUES = {
  NVRTC_SUCCESS: 0,
  NVRTC_ERROR_COMPILATION: 6,
} as const;
