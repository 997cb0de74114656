/**
 * What the tests ask of NVIDIA's real libraries, in a process of its own, which they may abort: its
 * argument names a question, and the answer is a line of JSON.
 */

import { BackendError } from "../../../backends/contract.ts";
import { CudaCompiler } from "../../../backends/cudnn/compiler.ts";
import { CUDNN_VALUES as V } from "../../../backends/cudnn/ffi/cudnn.ts";
import { discover } from "../../../backends/cudnn/ffi/discovery.ts";
import { createHandle } from "../../../backends/cudnn/ffi/memory.ts";
import { type Libraries, openLibraries } from "../../../backends/cudnn/ffi/open.ts";
import { checkCuda, checkCudnn } from "../../../backends/cudnn/ffi/status.ts";
import { thisSystem } from "../../../backends/cudnn/ffi/system.ts";
import { cudaModule, cudaModules } from "../../../backends/cudnn/module.ts";
import "../../../backends/cudnn/register.ts"; // makes all modules
import { H100 } from "./card.ts";
import { KINDS, type Plan, Planner } from "./convolution_graph.ts";
import { type ConvolutionSizes, paperConvolutions } from "./paper_convolutions.ts";

/** The answers, by question. */
export interface Answers {
  versions: Record<string, string>;
  /** Messages of calls that cannot succeed without a card. */
  refusals: string[];
  /** Output sizes [N, C, H, W] of all convolutions of the paper by cuDNN's own reckoning. */
  sizes: number[][];
  /** Plans of these convolutions, in the order of `KINDS`. */
  plans: Plan[][];
  /** What cuDNN says of a convolution whose output cannot be its own. */
  wrongPlan: string;
  /** First bytes of each of the backend's modules, compiled for compute capabilities 8.0 and 9.0. */
  cubins: Record<string, number[][]>;
  /** What the backend's compiler says of a kernel that names what there is not. */
  wrongKernel: string;
}

const QUESTIONS: { [Question in keyof Answers]: (libraries: Libraries) => Answers[Question] } = {
  versions: ({ versions }) => versions,
  refusals: ({ cuda, cudnn }) => [
    refusal(() => checkCuda(cuda, cuda.cuInit(0), "cuInit")),
    refusal(() => checkCudnn(cudnn, cudnn.cudnnCreate(new BigUint64Array(1)), "cudnnCreate")),
  ],
  sizes: (libraries) => paperConvolutions().map((sizes) => outputSizes(libraries, sizes)),
  plans: ({ cudnn }) => {
    using planner = new Planner(cudnn, H100);
    return paperConvolutions().flatMap((sizes) =>
      KINDS.map((kind) => planner.plans(sizes, kind, 16))
    );
  },
  wrongPlan: ({ cudnn }) => {
    using planner = new Planner(cudnn, H100);
    const [{ output: [height, width, channels], ...rest }] = paperConvolutions();
    return refusal(() =>
      planner.plans({ ...rest, output: [height + 1, width, channels] }, "forward")
    );
  },
  cubins: (libraries) => {
    const compilers = [compiler(libraries, 8, 0), compiler(libraries, 9, 0)];
    return Object.fromEntries(
      cudaModules().map((module) => [
        module.name,
        compilers.map((one) => [...one.compile(module).subarray(0, 4)]),
      ]),
    );
  },
  wrongKernel: (libraries) => {
    const source = `extern "C" __global__ void set(float* y, float x) {\n  y[0] = z;\n}`;
    return refusal(() => compiler(libraries, 9, 0).compile(cudaModule("wrong", source)));
  },
};

/** The backend's compiler for a card of this compute capability; it keeps nothing. */
function compiler({ nvrtc }: Libraries, ...computeCapability: [number, number]): CudaCompiler {
  return new CudaCompiler(nvrtc, { name: "a card", limits: { computeCapability } }, "");
}

/** The message of the error that a call must end with. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof BackendError) return error.message;
    throw error;
  }
  return "no error";
}

function outputSizes({ cudnn }: Libraries, sizes: ConvolutionSizes): number[] {
  const { batch, input: [height, width, channels], output, kernel, stride, padding } = sizes;
  const check = (status: number, call: string) => checkCudnn(cudnn, status, call);
  using image = createHandle(
    (out) => check(cudnn.cudnnCreateTensorDescriptor(out), "cudnnCreateTensorDescriptor"),
    (address) => check(cudnn.cudnnDestroyTensorDescriptor(address), "cudnnDestroyTensorDescriptor"),
  );
  using filter = createHandle(
    (out) => check(cudnn.cudnnCreateFilterDescriptor(out), "cudnnCreateFilterDescriptor"),
    (address) => check(cudnn.cudnnDestroyFilterDescriptor(address), "cudnnDestroyFilterDescriptor"),
  );
  using convolution = createHandle(
    (out) => check(cudnn.cudnnCreateConvolutionDescriptor(out), "cudnnCreateConvolutionDescriptor"),
    (address) =>
      check(cudnn.cudnnDestroyConvolutionDescriptor(address), "cudnnDestroyConvolutionDescriptor"),
  );
  const { CUDNN_DATA_FLOAT: float, CUDNN_TENSOR_NHWC: nhwc, CUDNN_CROSS_CORRELATION: mode } = V;
  check(
    cudnn.cudnnSetTensor4dDescriptor(image.address, nhwc, float, batch, channels, height, width),
    "cudnnSetTensor4dDescriptor",
  );
  check(
    cudnn.cudnnSetFilter4dDescriptor(filter.address, float, nhwc, output[2], channels, ...kernel),
    "cudnnSetFilter4dDescriptor",
  );
  check(
    cudnn.cudnnSetConvolution2dDescriptor(
      convolution.address,
      ...padding,
      ...stride,
      1,
      1,
      mode,
      float,
    ),
    "cudnnSetConvolution2dDescriptor",
  );
  const sizesOut = [0, 1, 2, 3].map(() => new Int32Array(1));
  const [n, c, h, w] = sizesOut;
  check(
    cudnn.cudnnGetConvolution2dForwardOutputDim(
      convolution.address,
      image.address,
      filter.address,
      n,
      c,
      h,
      w,
    ),
    "cudnnGetConvolution2dForwardOutputDim",
  );
  return sizesOut.map(([size]) => size);
}

if (import.meta.main) {
  const { files, problem } = discover(thisSystem());
  if (!files) throw new Error(problem);
  const question = Deno.args[0] as keyof Answers;
  console.log(JSON.stringify(QUESTIONS[question](openLibraries(files))));
}
