/** The tables of functions against NVIDIA's headers, and against errors that the check must see. */

import { CUBLAS_FUNCTIONS, CUBLAS_VALUES } from "../../../../backends/cudnn/ffi/cublas.ts";
import { CUDA_FUNCTIONS, CUDA_VALUES } from "../../../../backends/cudnn/ffi/cuda.ts";
import { CUDNN_FUNCTIONS, CUDNN_VALUES } from "../../../../backends/cudnn/ffi/cudnn.ts";
import { CUDNN_STRUCTS } from "../../../../backends/cudnn/ffi/cudnn_convolution.ts";
import { NVRTC_FUNCTIONS, NVRTC_VALUES } from "../../../../backends/cudnn/ffi/nvrtc.ts";
import { assert, assertEquals, assertMatch } from "../../../assert.ts";
import { NVIDIA_INCLUDES, nvidiaInstalled } from "../nvidia.ts";
import {
  compilerErrors,
  declarationsIn,
  headerAssertions,
  type HeaderTables,
} from "./header_check.ts";

const ignore = !nvidiaInstalled({ run: ["g++"] });

type Tables = Omit<HeaderTables, "declarations"> & { files: string[] };

const LIBRARIES: Tables[] = [
  { header: "cuda.h", functions: CUDA_FUNCTIONS, values: CUDA_VALUES, files: ["cuda"] },
  {
    header: "cudnn.h",
    functions: CUDNN_FUNCTIONS,
    values: CUDNN_VALUES,
    structs: CUDNN_STRUCTS,
    files: ["cudnn", "cudnn_convolution"],
  },
  { header: "cublas_v2.h", functions: CUBLAS_FUNCTIONS, values: CUBLAS_VALUES, files: ["cublas"] },
  { header: "nvrtc.h", functions: NVRTC_FUNCTIONS, values: NVRTC_VALUES, files: ["nvrtc"] },
];

/** The tables with the C declarations of their files' comments. */
async function withDeclarations({ files, ...tables }: Tables): Promise<HeaderTables> {
  const sources = await Promise.all(
    files.map((file) => Deno.readTextFile(`backends/cudnn/ffi/${file}.ts`)),
  );
  return { ...tables, declarations: declarationsIn(sources.join("\n")) };
}

function errorsOf(tables: HeaderTables): Promise<string[]> {
  return compilerErrors(headerAssertions(tables), NVIDIA_INCLUDES);
}

for (const library of LIBRARIES) {
  Deno.test({
    name: `the tables of ${library.files[0]}.ts say what ${library.header} says`,
    ignore,
    fn: async () => assertEquals(await errorsOf(await withDeclarations(library)), []),
  });
}

Deno.test({
  name: "headerAssertions() fails for tables that are wrong in one place",
  ignore,
  fn: async (test) => {
    const [cuda, cudnn] = await Promise.all(LIBRARIES.map(withDeclarations));
    const { cuLaunchKernel, cuEventElapsedTime } = CUDA_FUNCTIONS;
    const { cudnnConvolutionForward } = CUDNN_FUNCTIONS;
    const { cudnnConvolutionFwdAlgoPerf_t } = CUDNN_STRUCTS;
    const replaced = (parameters: readonly Deno.NativeType[], at: number, type: Deno.NativeType) =>
      ({ parameters: parameters.with(at, type), result: "i32" }) as const;
    const functions = (functions: HeaderTables["functions"], from: HeaderTables = cuda) => ({
      ...from,
      functions,
      values: {},
      structs: {},
    });
    const wrong: Record<string, [HeaderTables, RegExp]> = {
      "a parameter too few": [
        functions({
          cuLaunchKernel: { ...cuLaunchKernel, parameters: cuLaunchKernel.parameters.slice(0, 10) },
        }),
        /cuLaunchKernel has not 10 parameters/,
      ],
      "f32 for double": [
        functions({
          cudnnSetActivationDescriptor: {
            parameters: ["u64", "i32", "i32", "f32"],
            result: "i32",
          },
        }, cudnn),
        /cudnnSetActivationDescriptor's parameter 3 is not f32/,
      ],
      "i32 for size_t": [
        functions({
          cudnnConvolutionForward: replaced(cudnnConvolutionForward.parameters, 9, "i32"),
        }, cudnn),
        /cudnnConvolutionForward's parameter 9 is not i32/,
      ],
      "two handles swapped": [
        {
          ...functions({ cuEventRecord: CUDA_FUNCTIONS.cuEventRecord }),
          declarations: { cuEventRecord: ["CUstream", "CUevent"] },
        },
        /cuEventRecord's parameter 0 is not CUstream/,
      ],
      "a comment missing": [
        { ...functions({ cuEventElapsedTime }), declarations: {} },
        /cuEventElapsedTime lacks comments/,
      ],
      "a result that is none": [
        functions({ cuEventElapsedTime: { ...cuEventElapsedTime, result: "void" } }),
        /cuEventElapsedTime does not return void/,
      ],
      "a function that does not exist": [
        functions({ cuMemAlloc_v9: { parameters: [], result: "i32" } }),
        /cuMemAlloc_v9/,
      ],
      "another enum value": [
        { ...functions({}, cudnn), values: { CUDNN_TENSOR_NHWC: 0 } },
        /CUDNN_TENSOR_NHWC is not 0/,
      ],
      "a struct of another size": [
        {
          ...functions({}, cudnn),
          structs: { cudnnConvolutionFwdAlgoPerf_t: { size: 40, offsets: {} } },
        },
        /cudnnConvolutionFwdAlgoPerf_t has not 40 bytes/,
      ],
      "a field elsewhere": [
        {
          ...functions({}, cudnn),
          structs: {
            cudnnConvolutionFwdAlgoPerf_t: {
              ...cudnnConvolutionFwdAlgoPerf_t,
              offsets: { memory: 12 },
            },
          },
        },
        /cudnnConvolutionFwdAlgoPerf_t.memory is not at 12/,
      ],
    };
    for (const [name, [tables, message]] of Object.entries(wrong)) {
      await test.step(name, async () => {
        const errors = await errorsOf(tables);
        assert(errors.length > 0, "the check passed");
        assertMatch(errors.join("\n"), message);
      });
    }
  },
});
