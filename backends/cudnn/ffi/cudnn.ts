/**
 * cuDNN's functions, `cudnn.h`: the library, and graphs of operations; `cudnn_convolution.ts` has the
 * convolutions that need no graph.
 *
 * A graph is made of descriptors: `cudnnBackendCreateDescriptor` with a type, attributes, finalize.
 */

import { CUDNN_CONVOLUTION_FUNCTIONS } from "./cudnn_convolution.ts";
import { status } from "./table.ts";

/** One entry a function. */
export const CUDNN_FUNCTIONS = {
  // Library
  cudnnGetVersion: { parameters: [], result: "usize" }, // size_t
  cudnnGetCudartVersion: { parameters: [], result: "usize" }, // size_t
  cudnnGetErrorString: {
    parameters: [
      "i32", // cudnnStatus_t status
    ],
    result: "pointer", // const char*
  },
  cudnnGetLastErrorString: {
    parameters: [
      "buffer", // char* message
      "usize", // size_t max_size
    ],
    result: "void", // void
  },
  cudnnCreate: status(
    "buffer", // cudnnHandle_t* handle
  ),
  cudnnDestroy: status(
    "u64", // cudnnHandle_t handle
  ),
  cudnnSetStream: status(
    "u64", // cudnnHandle_t handle
    "u64", // cudaStream_t streamId
  ),

  // Graphs
  cudnnBackendCreateDescriptor: status(
    "i32", // cudnnBackendDescriptorType_t descriptorType
    "buffer", // cudnnBackendDescriptor_t* descriptor
  ),
  cudnnBackendDestroyDescriptor: status(
    "u64", // cudnnBackendDescriptor_t descriptor
  ),
  cudnnBackendFinalize: status(
    "u64", // cudnnBackendDescriptor_t descriptor
  ),
  cudnnBackendSetAttribute: status(
    "u64", // cudnnBackendDescriptor_t descriptor
    "i32", // cudnnBackendAttributeName_t attributeName
    "i32", // cudnnBackendAttributeType_t attributeType
    "i64", // int64_t elementCount
    "buffer", // const void* arrayOfElements
  ),
  cudnnBackendGetAttribute: status(
    "u64", // cudnnBackendDescriptor_t const descriptor
    "i32", // cudnnBackendAttributeName_t attributeName
    "i32", // cudnnBackendAttributeType_t attributeType
    "i64", // int64_t requestedElementCount
    "buffer", // int64_t* elementCount
    "buffer", // void* arrayOfElements
  ),
  cudnnBackendExecute: status(
    "u64", // cudnnHandle_t handle
    "u64", // cudnnBackendDescriptor_t executionPlan
    "u64", // cudnnBackendDescriptor_t variantPack
  ),
  ...CUDNN_CONVOLUTION_FUNCTIONS,
} as const;

/** cuDNN's functions, opened. */
export type Cudnn = Deno.DynamicLibrary<typeof CUDNN_FUNCTIONS>["symbols"];

/** Values of enums, by their names in C. */
export const CUDNN_VALUES = {
  CUDNN_STATUS_SUCCESS: 0,
  CUDNN_STATUS_NOT_INITIALIZED: 1001,
  CUDNN_STATUS_NOT_SUPPORTED: 3000,
  CUDNN_DATA_FLOAT: 0,
  CUDNN_TENSOR_NHWC: 1,
  CUDNN_CROSS_CORRELATION: 1,
  CUDNN_DEFAULT_MATH: 0,
  CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION: 2,
  CUDNN_FMA_MATH: 3,
  CUDNN_HEUR_MODE_FALLBACK: 2,
  CUDNN_HEUR_MODE_A: 3,
  CUDNN_TYPE_HANDLE: 0,
  CUDNN_TYPE_DATA_TYPE: 1,
  CUDNN_TYPE_INT64: 3,
  CUDNN_TYPE_FLOAT: 4,
  CUDNN_TYPE_VOID_PTR: 6,
  CUDNN_TYPE_CONVOLUTION_MODE: 7,
  CUDNN_TYPE_HEUR_MODE: 8,
  CUDNN_TYPE_NUMERICAL_NOTE: 11,
  CUDNN_TYPE_BACKEND_DESCRIPTOR: 15,
  CUDNN_TYPE_CHAR: 24,
  CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR: 1,
  CUDNN_BACKEND_ENGINE_DESCRIPTOR: 2,
  CUDNN_BACKEND_ENGINECFG_DESCRIPTOR: 3,
  CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: 4,
  CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: 5,
  CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: 10,
  CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR: 11,
  CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: 12,
  CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: 15,
  CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR: 16,
  CUDNN_BACKEND_TENSOR_DESCRIPTOR: 17,
  CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR: 38,
  CUDNN_ATTR_CONVOLUTION_COMP_TYPE: 100,
  CUDNN_ATTR_CONVOLUTION_CONV_MODE: 101,
  CUDNN_ATTR_CONVOLUTION_DILATIONS: 102,
  CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES: 103,
  CUDNN_ATTR_CONVOLUTION_POST_PADDINGS: 104,
  CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS: 105,
  CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS: 106,
  CUDNN_ATTR_ENGINEHEUR_MODE: 200,
  CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH: 201,
  CUDNN_ATTR_ENGINEHEUR_RESULTS: 202,
  CUDNN_ATTR_ENGINEHEUR_DEVICEPROP: 204,
  CUDNN_ATTR_ENGINECFG_ENGINE: 300,
  CUDNN_ATTR_EXECUTION_PLAN_HANDLE: 400,
  CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG: 401,
  CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE: 402,
  CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP: 407,
  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA: 700,
  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA: 701,
  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC: 702,
  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W: 703,
  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X: 704,
  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y: 705,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA: 706,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA: 707,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC: 708,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W: 709,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX: 710,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY: 711,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA: 712,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA: 713,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC: 714,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW: 715,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X: 716,
  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY: 717,
  CUDNN_ATTR_OPERATIONGRAPH_HANDLE: 800,
  CUDNN_ATTR_OPERATIONGRAPH_OPS: 801,
  CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT: 900,
  CUDNN_ATTR_TENSOR_DATA_TYPE: 901,
  CUDNN_ATTR_TENSOR_DIMENSIONS: 902,
  CUDNN_ATTR_TENSOR_STRIDES: 903,
  CUDNN_ATTR_TENSOR_UNIQUE_ID: 906,
  CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS: 1000,
  CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS: 1001,
  CUDNN_ATTR_VARIANT_PACK_WORKSPACE: 1003,
  CUDNN_ATTR_ENGINE_NUMERICAL_NOTE: 1303,
  CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION: 2702,
  CUDNN_NUMERICAL_NOTE_TENSOR_CORE: 0,
} as const;
