/** The emulated cuBLAS's matrix products against loops. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { CUDA_VALUES } from "../../backends/cudnn/ffi/cuda.ts";
import { checkCublas, DriverError } from "../../backends/cudnn/ffi/status.ts";
import { emulatorTest, type Session } from "./session.ts";

interface Product {
  m: number;
  n: number;
  k: number;
  transposeA: boolean;
  transposeB: boolean;
  alpha: number;
  beta: number;
  batch: number;
}

function samples(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * 12.9898 + seed));
}

/** Column-major matrices with 2 rows more than they have to have, batched with a gap of 3 values. */
function layout({ m, n, k, transposeA, transposeB }: Product) {
  const [rowsA, columnsA] = transposeA ? [k, m] : [m, k];
  const [rowsB, columnsB] = transposeB ? [n, k] : [k, n];
  const leading = [rowsA + 2, rowsB + 2, m + 2];
  return {
    leading,
    strides: [columnsA, columnsB, n].map((columns, i) => columns * leading[i] + 3),
  };
}

function expectedOf(
  product: Product,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
): Float32Array {
  const { m, n, k, transposeA, transposeB, alpha, beta, batch } = product;
  const { leading, strides } = layout(product), result = c.slice();
  for (let item = 0; item < batch; item++) {
    for (let column = 0; column < n; column++) {
      for (let row = 0; row < m; row++) {
        let sum = 0;
        for (let inner = 0; inner < k; inner++) {
          const atA = transposeA ? inner + row * leading[0] : row + inner * leading[0];
          const atB = transposeB ? column + inner * leading[1] : inner + column * leading[1];
          sum += a[item * strides[0] + atA] * b[item * strides[1] + atB];
        }
        const at = item * strides[2] + row + column * leading[2];
        result[at] = alpha * sum + (beta === 0 ? 0 : beta * c[at]);
      }
    }
  }
  return result;
}

function run(
  session: Session,
  product: Product,
  memory: { a: bigint; b: bigint; c: bigint },
): void {
  const { cublas } = session.libraries, handle = new BigUint64Array(1);
  const { leading, strides } = layout(product);
  checkCublas(cublas, cublas.cublasCreate_v2(handle), "cublasCreate");
  const status = cublas.cublasSgemmStridedBatched(
    ...[handle[0], Number(product.transposeA), Number(product.transposeB)] as const,
    ...[product.m, product.n, product.k, new Float32Array([product.alpha])] as const,
    ...[
      memory.a,
      leading[0],
      BigInt(strides[0]),
      memory.b,
      leading[1],
      BigInt(strides[1]),
    ] as const,
    ...[new Float32Array([product.beta]), memory.c, leading[2], BigInt(strides[2])] as const,
    product.batch,
  );
  checkCublas(cublas, cublas.cublasDestroy_v2(handle[0]), "cublasDestroy");
  checkCublas(cublas, status, "cublasSgemmStridedBatched");
}

const PRODUCT: Product = {
  m: 5,
  n: 4,
  k: 7,
  transposeA: false,
  transposeB: false,
  alpha: 1,
  beta: 0,
  batch: 1,
};

for (const transposeA of [false, true]) {
  for (const transposeB of [false, true]) {
    const title = `${transposeA ? "transposed" : "plain"} a, ${
      transposeB ? "transposed" : "plain"
    } b`;
    emulatorTest(`cuBLAS's product of ${title} is the loop's`, (session) => {
      for (const change of [{}, { batch: 3 }, { alpha: 2, beta: 0.5 }]) {
        const product = { ...PRODUCT, transposeA, transposeB, ...change },
          { strides } = layout(product);
        const [a, b] = [0, 1].map((i) => samples(strides[i] * product.batch, i));
        const c = product.beta === 0
          ? new Float32Array(strides[2] * product.batch).fill(NaN)
          : samples(strides[2], 2);
        const memory = { a: session.upload(a), b: session.upload(b), c: session.upload(c) };
        run(session, product, memory);
        const actual = session.download(memory.c, new Float32Array(c.length));
        expectedOf(product, a, b, c).forEach((value, index) => {
          const close = Number.isNaN(value)
            ? Number.isNaN(actual[index])
            : Math.abs(actual[index] - value) < 1e-5;
          assert(close, `at ${index}: got ${actual[index]}, want ${value}`);
        });
      }
    });
  }
}

emulatorTest(
  "cuBLAS refuses leading sizes that are too small and memory that is too short",
  (session) => {
    const { strides } = layout(PRODUCT);
    const [a, b, c] = strides.map((values) => session.allocate(4 * values));
    assertThrows(
      () => run(session, { ...PRODUCT, m: -1 }, { a, b, c }),
      DriverError,
      "unsupported value",
    );
    const short = session.allocate(4);
    assertThrows(() => run(session, PRODUCT, { a, b, c: short }), DriverError, "failed to launch");
    run(session, { ...PRODUCT, batch: 0 }, { a, b, c: short });
    assertEquals(session.control.counts().libraryCalls, 0);
  },
);

emulatorTest("cuBLAS's work on a captured stream waits for the graph's launch", (session) => {
  const { cuda, cublas } = session.libraries, stream = session.stream();
  const [handle, graph, executable] = [1, 1, 1].map((size) => new BigUint64Array(size));
  const mode = CUDA_VALUES.CU_STREAM_CAPTURE_MODE_GLOBAL;
  const of = (value: number) => session.upload(new Float32Array([value]));
  const [a, b, c] = [of(3), of(5), of(0)];
  checkCublas(cublas, cublas.cublasCreate_v2(handle), "cublasCreate");
  checkCublas(cublas, cublas.cublasSetStream_v2(handle[0], stream), "cublasSetStream");
  session.check(cuda.cuStreamBeginCapture_v2(stream, mode), "cuStreamBeginCapture");
  const status = cublas.cublasSgemm_v2(
    ...[handle[0], 0, 0, 1, 1, 1, new Float32Array([1]), a, 1, b, 1] as const,
    ...[new Float32Array([1]), c, 1] as const,
  );
  checkCublas(cublas, status, "cublasSgemm");
  session.check(cuda.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
  session.check(cuda.cuGraphInstantiateWithFlags(executable, graph[0], 0n), "cuGraphInstantiate");
  assertEquals([...session.download(c, new Float32Array(1))], [0]);
  for (const expected of [15, 30]) {
    session.check(cuda.cuGraphLaunch(executable[0], stream), "cuGraphLaunch");
    assertEquals([...session.download(c, new Float32Array(1))], [expected]);
  }
});
