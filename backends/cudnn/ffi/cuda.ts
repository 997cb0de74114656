/**
 * The CUDA driver's functions, `cuda.h`: devices, memory, streams, modules, launches and graphs.
 *
 * Names are those the library exports: cuda.h calls `cuMemAlloc_v2` by its newest version, `cuMemAlloc`.
 * All of them are in the drivers of CUDA 12 and 13.
 */

import { status } from "./table.ts";

/** One entry a function. */
export const CUDA_FUNCTIONS = {
  // Errors
  cuGetErrorName: status(
    "i32", // CUresult error
    "buffer", // const char** pStr
  ),
  cuGetErrorString: status(
    "i32", // CUresult error
    "buffer", // const char** pStr
  ),

  // Device and context
  cuInit: status(
    "u32", // unsigned int Flags
  ),
  cuDriverGetVersion: status(
    "buffer", // int* driverVersion
  ),
  cuDeviceGetCount: status(
    "buffer", // int* count
  ),
  cuDeviceGet: status(
    "buffer", // CUdevice* device
    "i32", // int ordinal
  ),
  cuDeviceGetName: status(
    "buffer", // char* name
    "i32", // int len
    "i32", // CUdevice dev
  ),
  cuDeviceTotalMem_v2: status(
    "buffer", // size_t* bytes
    "i32", // CUdevice dev
  ),
  cuDeviceGetAttribute: status(
    "buffer", // int* pi
    "i32", // CUdevice_attribute attrib
    "i32", // CUdevice dev
  ),
  cuDevicePrimaryCtxRetain: status(
    "buffer", // CUcontext* pctx
    "i32", // CUdevice dev
  ),
  cuDevicePrimaryCtxRelease_v2: status(
    "i32", // CUdevice dev
  ),
  cuCtxSetCurrent: status(
    "u64", // CUcontext ctx
  ),
  cuCtxSynchronize: status(),

  // Memory
  cuMemGetInfo_v2: status(
    "buffer", // size_t* free
    "buffer", // size_t* total
  ),
  cuMemAlloc_v2: status(
    "buffer", // CUdeviceptr* dptr
    "usize", // size_t bytesize
  ),
  cuMemFree_v2: status(
    "u64", // CUdeviceptr dptr
  ),
  cuMemHostAlloc: status(
    "buffer", // void** pp
    "usize", // size_t bytesize
    "u32", // unsigned int Flags
  ),
  cuMemFreeHost: status(
    "u64", // void* p
  ),
  cuMemsetD8_v2: status(
    "u64", // CUdeviceptr dstDevice
    "u8", // unsigned char uc
    "usize", // size_t N
  ),
  cuMemsetD8Async: status(
    "u64", // CUdeviceptr dstDevice
    "u8", // unsigned char uc
    "usize", // size_t N
    "u64", // CUstream hStream
  ),
  cuMemcpyHtoD_v2: status(
    "u64", // CUdeviceptr dstDevice
    "buffer", // const void* srcHost
    "usize", // size_t ByteCount
  ),
  cuMemcpyHtoDAsync_v2: status(
    "u64", // CUdeviceptr dstDevice
    "buffer", // const void* srcHost
    "usize", // size_t ByteCount
    "u64", // CUstream hStream
  ),
  cuMemcpyDtoH_v2: status(
    "buffer", // void* dstHost
    "u64", // CUdeviceptr srcDevice
    "usize", // size_t ByteCount
  ),
  cuMemcpyDtoHAsync_v2: status(
    "buffer", // void* dstHost
    "u64", // CUdeviceptr srcDevice
    "usize", // size_t ByteCount
    "u64", // CUstream hStream
  ),
  cuMemcpyDtoD_v2: status(
    "u64", // CUdeviceptr dstDevice
    "u64", // CUdeviceptr srcDevice
    "usize", // size_t ByteCount
  ),
  cuMemcpyDtoDAsync_v2: status(
    "u64", // CUdeviceptr dstDevice
    "u64", // CUdeviceptr srcDevice
    "usize", // size_t ByteCount
    "u64", // CUstream hStream
  ),

  // Streams and events
  cuStreamCreate: status(
    "buffer", // CUstream* phStream
    "u32", // unsigned int Flags
  ),
  cuStreamDestroy_v2: status(
    "u64", // CUstream hStream
  ),
  cuStreamSynchronize: status(
    "u64", // CUstream hStream
  ),
  cuStreamQuery: status(
    "u64", // CUstream hStream
  ),
  cuStreamWaitEvent: status(
    "u64", // CUstream hStream
    "u64", // CUevent hEvent
    "u32", // unsigned int Flags
  ),
  cuEventCreate: status(
    "buffer", // CUevent* phEvent
    "u32", // unsigned int Flags
  ),
  cuEventDestroy_v2: status(
    "u64", // CUevent hEvent
  ),
  cuEventRecord: status(
    "u64", // CUevent hEvent
    "u64", // CUstream hStream
  ),
  cuEventQuery: status(
    "u64", // CUevent hEvent
  ),
  cuEventSynchronize: status(
    "u64", // CUevent hEvent
  ),
  cuEventElapsedTime: status(
    "buffer", // float* pMilliseconds
    "u64", // CUevent hStart
    "u64", // CUevent hEnd
  ),

  // Modules and launches
  cuModuleLoadData: status(
    "buffer", // CUmodule* module
    "buffer", // const void* image
  ),
  cuModuleUnload: status(
    "u64", // CUmodule hmod
  ),
  cuModuleGetFunction: status(
    "buffer", // CUfunction* hfunc
    "u64", // CUmodule hmod
    "buffer", // const char* name
  ),
  cuFuncGetAttribute: status(
    "buffer", // int* pi
    "i32", // CUfunction_attribute attrib
    "u64", // CUfunction hfunc
  ),
  cuFuncSetAttribute: status(
    "u64", // CUfunction hfunc
    "i32", // CUfunction_attribute attrib
    "i32", // int value
  ),
  cuLaunchKernel: status(
    "u64", // CUfunction f
    "u32", // unsigned int gridDimX
    "u32", // unsigned int gridDimY
    "u32", // unsigned int gridDimZ
    "u32", // unsigned int blockDimX
    "u32", // unsigned int blockDimY
    "u32", // unsigned int blockDimZ
    "u32", // unsigned int sharedMemBytes
    "u64", // CUstream hStream
    "buffer", // void** kernelParams
    "buffer", // void** extra
  ),

  // Graphs
  cuStreamBeginCapture_v2: status(
    "u64", // CUstream hStream
    "i32", // CUstreamCaptureMode mode
  ),
  cuStreamEndCapture: status(
    "u64", // CUstream hStream
    "buffer", // CUgraph* phGraph
  ),
  cuGraphInstantiateWithFlags: status(
    "buffer", // CUgraphExec* phGraphExec
    "u64", // CUgraph hGraph
    "u64", // unsigned long long flags
  ),
  cuGraphLaunch: status(
    "u64", // CUgraphExec hGraph
    "u64", // CUstream hStream
  ),
  cuGraphExecDestroy: status(
    "u64", // CUgraphExec hGraphExec
  ),
  cuGraphDestroy: status(
    "u64", // CUgraph hGraph
  ),
} as const;

/** The driver's functions, opened. */
export type Cuda = Deno.DynamicLibrary<typeof CUDA_FUNCTIONS>["symbols"];

/** Values of enums and macros, by their names in C. */
export const CUDA_VALUES = {
  CUDA_SUCCESS: 0,
  CUDA_ERROR_OUT_OF_MEMORY: 2,
  CUDA_ERROR_NO_DEVICE: 100,
  CUDA_ERROR_NOT_READY: 600,
  CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK: 1,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: 8,
  CU_DEVICE_ATTRIBUTE_WARP_SIZE: 10,
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: 16,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: 76,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: 97,
  CU_MEMHOSTALLOC_PORTABLE: 1,
  CU_STREAM_NON_BLOCKING: 1,
  CU_EVENT_DEFAULT: 0,
  CU_EVENT_DISABLE_TIMING: 2,
  CU_FUNC_ATTRIBUTE_NUM_REGS: 4,
  CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: 8,
  CU_STREAM_CAPTURE_MODE_GLOBAL: 0,
  CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: 1,
  CU_STREAM_CAPTURE_MODE_RELAXED: 2,
} as const;
