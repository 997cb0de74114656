/**
 * cuDNN's convolutions that need no graph, `cudnn_cnn.h`: descriptors, the choice of an algorithm, its
 * workspace, and the three convolutions of a training step.
 *
 * Deprecated since cuDNN 9, and whole in all of its versions.
 */

import { status, type StructLayout } from "./table.ts";

/** One entry a function. */
export const CUDNN_CONVOLUTION_FUNCTIONS = {
  // Descriptors of convolutions
  cudnnCreateTensorDescriptor: status(
    "buffer", // cudnnTensorDescriptor_t* tensorDesc
  ),
  cudnnSetTensor4dDescriptor: status(
    "u64", // cudnnTensorDescriptor_t tensorDesc
    "i32", // cudnnTensorFormat_t format
    "i32", // cudnnDataType_t dataType
    "i32", // int n
    "i32", // int c
    "i32", // int h
    "i32", // int w
  ),
  cudnnDestroyTensorDescriptor: status(
    "u64", // cudnnTensorDescriptor_t tensorDesc
  ),
  cudnnCreateFilterDescriptor: status(
    "buffer", // cudnnFilterDescriptor_t* filterDesc
  ),
  cudnnSetFilter4dDescriptor: status(
    "u64", // cudnnFilterDescriptor_t filterDesc
    "i32", // cudnnDataType_t dataType
    "i32", // cudnnTensorFormat_t format
    "i32", // int k
    "i32", // int c
    "i32", // int h
    "i32", // int w
  ),
  cudnnDestroyFilterDescriptor: status(
    "u64", // cudnnFilterDescriptor_t filterDesc
  ),
  cudnnCreateConvolutionDescriptor: status(
    "buffer", // cudnnConvolutionDescriptor_t* convDesc
  ),
  cudnnSetConvolution2dDescriptor: status(
    "u64", // cudnnConvolutionDescriptor_t convDesc
    "i32", // int pad_h
    "i32", // int pad_w
    "i32", // int u
    "i32", // int v
    "i32", // int dilation_h
    "i32", // int dilation_w
    "i32", // cudnnConvolutionMode_t mode
    "i32", // cudnnDataType_t computeType
  ),
  cudnnSetConvolutionMathType: status(
    "u64", // cudnnConvolutionDescriptor_t convDesc
    "i32", // cudnnMathType_t mathType
  ),
  cudnnGetConvolution2dForwardOutputDim: status(
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnTensorDescriptor_t inputTensorDesc
    "u64", // const cudnnFilterDescriptor_t filterDesc
    "buffer", // int* n
    "buffer", // int* c
    "buffer", // int* h
    "buffer", // int* w
  ),
  cudnnDestroyConvolutionDescriptor: status(
    "u64", // cudnnConvolutionDescriptor_t convDesc
  ),

  // Convolutions
  cudnnGetConvolutionForwardAlgorithm_v7: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnTensorDescriptor_t srcDesc
    "u64", // const cudnnFilterDescriptor_t filterDesc
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnTensorDescriptor_t destDesc
    "i32", // const int requestedAlgoCount
    "buffer", // int* returnedAlgoCount
    "buffer", // cudnnConvolutionFwdAlgoPerf_t* perfResults
  ),
  cudnnFindConvolutionForwardAlgorithmEx: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnTensorDescriptor_t xDesc
    "u64", // const void* x
    "u64", // const cudnnFilterDescriptor_t wDesc
    "u64", // const void* w
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnTensorDescriptor_t yDesc
    "u64", // void* y
    "i32", // const int requestedAlgoCount
    "buffer", // int* returnedAlgoCount
    "buffer", // cudnnConvolutionFwdAlgoPerf_t* perfResults
    "u64", // void* workSpace
    "usize", // size_t workSpaceSizeInBytes
  ),
  cudnnGetConvolutionForwardWorkspaceSize: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnTensorDescriptor_t xDesc
    "u64", // const cudnnFilterDescriptor_t wDesc
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnTensorDescriptor_t yDesc
    "i32", // cudnnConvolutionFwdAlgo_t algo
    "buffer", // size_t* sizeInBytes
  ),
  cudnnConvolutionForward: status(
    "u64", // cudnnHandle_t handle
    "buffer", // const void* alpha
    "u64", // const cudnnTensorDescriptor_t xDesc
    "u64", // const void* x
    "u64", // const cudnnFilterDescriptor_t wDesc
    "u64", // const void* w
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "i32", // cudnnConvolutionFwdAlgo_t algo
    "u64", // void* workSpace
    "usize", // size_t workSpaceSizeInBytes
    "buffer", // const void* beta
    "u64", // const cudnnTensorDescriptor_t yDesc
    "u64", // void* y
  ),
  cudnnGetConvolutionBackwardDataAlgorithm_v7: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnFilterDescriptor_t filterDesc
    "u64", // const cudnnTensorDescriptor_t diffDesc
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnTensorDescriptor_t gradDesc
    "i32", // const int requestedAlgoCount
    "buffer", // int* returnedAlgoCount
    "buffer", // cudnnConvolutionBwdDataAlgoPerf_t* perfResults
  ),
  cudnnFindConvolutionBackwardDataAlgorithmEx: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnFilterDescriptor_t wDesc
    "u64", // const void* w
    "u64", // const cudnnTensorDescriptor_t dyDesc
    "u64", // const void* dy
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnTensorDescriptor_t dxDesc
    "u64", // void* dx
    "i32", // const int requestedAlgoCount
    "buffer", // int* returnedAlgoCount
    "buffer", // cudnnConvolutionBwdDataAlgoPerf_t* perfResults
    "u64", // void* workSpace
    "usize", // size_t workSpaceSizeInBytes
  ),
  cudnnGetConvolutionBackwardDataWorkspaceSize: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnFilterDescriptor_t wDesc
    "u64", // const cudnnTensorDescriptor_t dyDesc
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnTensorDescriptor_t dxDesc
    "i32", // cudnnConvolutionBwdDataAlgo_t algo
    "buffer", // size_t* sizeInBytes
  ),
  cudnnConvolutionBackwardData: status(
    "u64", // cudnnHandle_t handle
    "buffer", // const void* alpha
    "u64", // const cudnnFilterDescriptor_t wDesc
    "u64", // const void* w
    "u64", // const cudnnTensorDescriptor_t dyDesc
    "u64", // const void* dy
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "i32", // cudnnConvolutionBwdDataAlgo_t algo
    "u64", // void* workSpace
    "usize", // size_t workSpaceSizeInBytes
    "buffer", // const void* beta
    "u64", // const cudnnTensorDescriptor_t dxDesc
    "u64", // void* dx
  ),
  cudnnGetConvolutionBackwardFilterAlgorithm_v7: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnTensorDescriptor_t srcDesc
    "u64", // const cudnnTensorDescriptor_t diffDesc
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnFilterDescriptor_t gradDesc
    "i32", // const int requestedAlgoCount
    "buffer", // int* returnedAlgoCount
    "buffer", // cudnnConvolutionBwdFilterAlgoPerf_t* perfResults
  ),
  cudnnFindConvolutionBackwardFilterAlgorithmEx: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnTensorDescriptor_t xDesc
    "u64", // const void* x
    "u64", // const cudnnTensorDescriptor_t dyDesc
    "u64", // const void* y
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnFilterDescriptor_t dwDesc
    "u64", // void* dw
    "i32", // const int requestedAlgoCount
    "buffer", // int* returnedAlgoCount
    "buffer", // cudnnConvolutionBwdFilterAlgoPerf_t* perfResults
    "u64", // void* workSpace
    "usize", // size_t workSpaceSizeInBytes
  ),
  cudnnGetConvolutionBackwardFilterWorkspaceSize: status(
    "u64", // cudnnHandle_t handle
    "u64", // const cudnnTensorDescriptor_t xDesc
    "u64", // const cudnnTensorDescriptor_t dyDesc
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "u64", // const cudnnFilterDescriptor_t gradDesc
    "i32", // cudnnConvolutionBwdFilterAlgo_t algo
    "buffer", // size_t* sizeInBytes
  ),
  cudnnConvolutionBackwardFilter: status(
    "u64", // cudnnHandle_t handle
    "buffer", // const void* alpha
    "u64", // const cudnnTensorDescriptor_t xDesc
    "u64", // const void* x
    "u64", // const cudnnTensorDescriptor_t dyDesc
    "u64", // const void* dy
    "u64", // const cudnnConvolutionDescriptor_t convDesc
    "i32", // cudnnConvolutionBwdFilterAlgo_t algo
    "u64", // void* workSpace
    "usize", // size_t workSpaceSizeInBytes
    "buffer", // const void* beta
    "u64", // const cudnnFilterDescriptor_t dwDesc
    "u64", // void* dw
  ),
} as const;

const ALGORITHM_RESULT: StructLayout = {
  size: 48,
  offsets: { algo: 0, status: 4, time: 8, memory: 16, determinism: 24, mathType: 28 },
};

/** What the choice of an algorithm yields, one a candidate, best first. */
export const CUDNN_STRUCTS = {
  cudnnConvolutionFwdAlgoPerf_t: ALGORITHM_RESULT,
  cudnnConvolutionBwdDataAlgoPerf_t: ALGORITHM_RESULT,
  cudnnConvolutionBwdFilterAlgoPerf_t: ALGORITHM_RESULT,
} as const;
