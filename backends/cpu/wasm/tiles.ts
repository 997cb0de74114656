/**
 * Writes the unrolled inner loops of the SIMD kernels as AssemblyScript.
 *
 * A 128-bit lane set has 16 registers, and Deno's engine checks the bounds of every load (some four
 * instructions), so tiles are chosen for few loads: operands are loaded as vectors and their lanes
 * spread by shuffles, which makes the filter gradient 1.27 times, the pointwise product 1.06 times as
 * fast as loading each value spread. Loads at one offset from a moving pointer share part of a check.
 *
 * Where V8 joins vectors (see v8_flags.ts), it makes one 256-bit instruction of two
 * 128-bit ones that end in stores 16 bytes apart, if nothing between the two loads of a pair stores.
 * Wide tiles are written for that: every vector has a neighbour, `...1` beside `...0`; all loads come
 * before the stores; the upper half is stored first. A spread lane becomes a load that spreads. Tiles
 * of 16 results (4 vectors) need it; those of 8 and 4 do for narrow engines and for what remains.
 */

const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

/** The order of stores. */
const downwards = (lanes: number[]): number[] => lanes.toReversed();

/** Vectors of channels a depthwise tile takes: narrow and wide. */
const HALVES = [1, 2];
/**
 * Rows and vectors of the pointwise tiles: narrow, 4 x 2 accumulators, 4 vectors of x, 2 weights and 1
 * spread value; wide, 4 x 2 pairs of accumulators, 2 pairs of weights and 1 spread value.
 */
const POINTWISE_ROWS = [4, 2, 1], POINTWISE_VECTORS = [4, 2, 1];
/** Rows of the tiles of a convolution, whose pixels are several runs of memory: what remains goes one by one. */
const CONVOLUTION_ROWS = [4, 1];
/** Channel rows of the pointwise filter gradient tiles. */
const OUTER_ROWS = 4, OUTER_VECTORS = [4, 2, 1];
/**
 * Rows of the tiles for the last 8 or 4 results of a wide engine: as many sums as hide the latency of a
 * fused multiply-add, which 4 do not. They spread as they load, for want of registers.
 */
const TALL_ROWS = 8, TALL_VECTORS = [2, 1];
/** Taps in a row, and outputs a tile makes: taps + outputs + 1 registers (or pairs) at most 16. */
const ROW_TILES = [[1, 8], [2, 8], [3, 8], [4, 8], [5, 8], [7, 4]].flatMap(([taps, most]) =>
  [8, 4, 1].filter((outputs) => outputs <= most).map((outputs) => [taps, outputs])
);
/** Taps in a row and rows of taps of a depthwise filter gradient tile: at most 10 accumulators. */
const TAP_TILES: [number, number][] = [[1, 5], [2, 5], [3, 3], [4, 2], [5, 2], [7, 1]]
  .flatMap(([taps, most]) =>
    [5, 3, 2, 1].filter((rows) => rows <= most).map((rows): [number, number] => [taps, rows])
  );

/**
 * `y[P][vectors * 4] = x[P][:] w[:][vectors * 4]`, `rows` pixels at a time, P a multiple; with `st`, adds
 * differences from a pivot, and their squares `ss` bytes behind; the pivot lies `2 ss` behind. With `ofRuns`
 * x[p] is `runs` runs of K values, `gap` bytes between them.
 */
function pointwiseTile(rows: number, vectors: number, ofRuns = false): string {
  const lanes = range(vectors), pixels = range(rows), tall = rows === TALL_ROWS;
  const a = (r: number, v: number) => `a${r}${v}`;
  return [
    `export function ${
      ofRuns ? "cv" : "pw"
    }${rows}x${vectors}(x: usize, ldx: usize, w: usize, K: i32, P: i32, y: usize, tab: usize, st: usize, ss: usize${
      ofRuns ? ", runs: i32, gap: usize" : ""
    }): void {`,
    `for (; P > 0; P -= ${rows}) {`,
    pixels.map((r) => lanes.map((v) => `let ${a(r, v)} = Z();`).join(" ")).join(" "),
    `let u = w, x0 = x;` + pixels.slice(1).map((r) => ` let x${r} = x${r - 1} + ldx;`).join(""),
    `x = x${rows - 1} + ldx;`,
    ofRuns ? `for (let run = 0; run < runs; run++) {` : "",
    `for (let k = 0; k < K; k += 4) {`,
    (tall ? "" : pixels.map((r) => `const v${r} = v128.load(x${r}); x${r} += 16;`).join(" ")) +
    " let s: v128;",
    ...range(4).flatMap((k) => [
      "{ " + lanes.map((v) => `const w${v} = v128.load(u, ${16 * v});`).join(" ") +
      ` u += ${16 * vectors};`,
      ...pixels.map((r) =>
        `s = ${tall ? spreadLoad(`x${r}`, k) : spread(`v${r}`, k)};` +
        lanes.map((v) => ` ${a(r, v)} = fma(s, w${v}, ${a(r, v)});`).join("")
      ),
      "}",
    ]),
    tall ? pixels.map((r) => `x${r} += 16;`).join(" ") : "",
    `}`,
    ofRuns ? pixels.map((r) => `x${r} += gap;`).join(" ") + " }" : "",
    ...pixels.map((r) =>
      `${r === 0 ? "let " : ""}q = y + <usize>load<u32>(tab, ${4 * r});` +
      downwards(lanes).map((v) => ` v128.store(q, ${a(r, v)}, ${16 * v});`).join("")
    ),
    `tab += ${4 * rows};`,
    `if (st) {`,
    lanes.map((v) => `const p${v} = v128.load(st + 2 * ss, ${16 * v});`).join(" "),
    ...statisticsGroups(rows).flatMap(([first, ...others]) => [
      "{ " +
      lanes.map((v) => `let t${v} = f32x4.sub(${a(first, v)}, p${v}), u${v} = mul(t${v}, t${v});`)
        .join(" "),
      ...others.flatMap((r) => [
        lanes.map((v) => `${a(r, v)} = f32x4.sub(${a(r, v)}, p${v});`).join(" "),
        lanes.map((v) => `t${v} = add(t${v}, ${a(r, v)});`).join(" "),
        lanes.map((v) => `u${v} = fma(${a(r, v)}, ${a(r, v)}, u${v});`).join(" "),
      ]),
      ...[["t", "st"], ["u", "st + ss"]].flatMap(([sum, at]) => [
        lanes.map((v) => `${sum}${v} = add(v128.load(${at}, ${16 * v}), ${sum}${v});`).join(" "),
        downwards(lanes).map((v) => `v128.store(${at}, ${sum}${v}, ${16 * v});`).join(" "),
      ]),
      "}",
    ]),
    `}`,
    `}`,
    `}`,
  ].join("\n");
}

/** Rows whose statistics are summed before they join the others: by 4, so that all engines get the same bits. */
function statisticsGroups(rows: number): number[][] {
  const size = Math.min(4, rows);
  return range(rows / size).map((group) => range(size).map((row) => group * size + row));
}

/** Lane `lane` of a vector in all lanes. */
function spread(vector: string, lane: number): string {
  return `v128.shuffle<f32>(${vector}, ${vector}, ${lane}, ${lane}, ${lane}, ${lane})`;
}

/** Value `lane` behind a pointer in all lanes. */
function spreadLoad(pointer: string, lane: number): string {
  return `v128.load32_splat(${pointer}, ${4 * lane})`;
}

/** `w[rows][vectors * 4] += sum over pixels of d[p][rows] g[p][vectors * 4]`. */
function outerTile(rows: number, vectors: number): string {
  const lanes = range(vectors), a = (r: number, v: number) => `a${r}${v}`;
  const tall = rows === TALL_ROWS;
  const each = (row: (r: number) => string) => range(rows).map(row).join(" q += ldw; ");
  return [
    `export function outer${rows}x${vectors}(d: usize, ldd: usize, g: usize, ldg: usize, P: i32, w: usize, ldw: usize): void {`,
    "let q = w; " +
    each((r) => lanes.map((v) => `let ${a(r, v)} = v128.load(q, ${16 * v});`).join(" ")),
    `for (let i = 0; i < P; i++) {`,
    lanes.map((v) => `const g${v} = v128.load(g, ${16 * v});`).join(" ") +
    (tall ? "" : " const x = v128.load(d);") + " let s: v128;",
    ...range(rows).map((r) =>
      `s = ${tall ? spreadLoad("d", r) : spread("x", r)};` +
      lanes.map((v) => ` ${a(r, v)} = fma(s, g${v}, ${a(r, v)});`).join("")
    ),
    `d += ldd; g += ldg;`,
    `}`,
    "q = w; " +
    each((r) => downwards(lanes).map((v) => `v128.store(q, ${a(r, v)}, ${16 * v});`).join(" ")),
    `}`,
  ].join("\n");
}

/** A 3-tap window of 3 rows sliding along one row of n outputs: 9 taps + 3 sums in registers. */
function slidingTile(more: boolean, halves: number): string {
  const h = range(halves);
  const load = (row: string) => h.map((i) => `x${i} = v128.load(${row}, ${16 * i});`).join(" ");
  const sum = (to: string, tap: number) =>
    h.map((i) => ` ${to}${i} = fma(x${i}, w${tap}${i}, ${to}${i});`).join("");
  const tap = (column: number, sums: [string, number][]) =>
    ["s", "t", "v"].map((row, r) => load(row) + sums.map(([to, c]) => sum(to, 3 * r + c)).join(""))
      .join(" ") + (column < 2 ? " s += cs; t += cs; v += cs;" : "");
  return [
    `export function slide3${
      more ? "Add" : ""
    }x${halves}(s: usize, w: usize, y: usize, n: i32, cs: usize, rs: usize, ws: usize, ys: usize): void {`,
    "let u = w; " +
    range(9).map((k) => h.map((i) => `const w${k}${i} = v128.load(u, ${16 * i});`).join(" "))
      .join(" u += ws; "),
    h.map((i) => `let a${i} = Z(), b${i} = Z(), c${i} = Z(), x${i}: v128;`).join(" "),
    "let t = s + rs, v = t + rs;",
    tap(0, [["a", 0]]),
    tap(1, [["b", 0], ["a", 1]]),
    "for (let j = 0; j < n; j++) {",
    load("s") + h.map((i) => ` c${i} = mul(x${i}, w0${i});`).join("") + sum("b", 1) + sum("a", 2),
    load("t") + sum("c", 3) + sum("b", 4) + sum("a", 5),
    load("v") + sum("c", 6) + sum("b", 7) + sum("a", 8),
    ...(more ? [h.map((i) => `a${i} = add(v128.load(y, ${16 * i}), a${i});`).join(" ")] : []),
    downwards(h).map((i) => `v128.store(y, a${i}, ${16 * i});`).join(" "),
    h.map((i) => `a${i} = b${i}; b${i} = c${i};`).join(" "),
    "s += cs; t += cs; v += cs; y += ys;",
    "}",
    "}",
  ].join("\n");
}

/** `outputs` columns of a window: kr rows of `taps` taps; `more` adds to y. */
function rowTile(taps: number, outputs: number, halves: number): string {
  const columns = range(outputs), h = range(halves);
  const steps = range(outputs + taps - 1).map((column) => {
    const sums = range(taps).filter((i) => column - i >= 0 && column - i < outputs)
      .flatMap((i) =>
        h.map((v) => ` a${column - i}${v} = fma(x${v}, w${i}${v}, a${column - i}${v});`)
      ).join("");
    return h.map((v) => `x${v} = v128.load(q, ${16 * v});`).join(" ") +
      (column < outputs + taps - 2 ? " q += cs;" : "") + sums;
  });
  return [
    `export function row${taps}x${outputs}x${halves}(s: usize, w: usize, y: usize, cs: usize, rs: usize, ws: usize, wr: usize, ys: usize, kr: i32, more: bool): void {`,
    columns.flatMap((c) => h.map((v) => `let a${c}${v} = Z();`)).join(" "),
    `if (more) { let q = y; ${
      columns.map((c) => h.map((v) => `a${c}${v} = v128.load(q, ${16 * v});`).join(" "))
        .join(" q += ys; ")
    } }`,
    "for (let r = 0; r < kr; r++) {",
    "let q = s, u = w, " + h.map((v) => `x${v}: v128`).join(", ") + ";",
    range(taps).map((i) => h.map((v) => `const w${i}${v} = v128.load(u, ${16 * v});`).join(" "))
      .join(" u += ws; "),
    ...steps,
    "s += rs; w += wr;",
    "}",
    columns.map((c) => downwards(h).map((v) => `v128.store(y, a${c}${v}, ${16 * v});`).join(" "))
      .join(" y += ys; "),
    "}",
  ].join("\n");
}

/** Gradient of `rows` x `taps` filter taps over m rows of n columns, two columns an iteration. */
function tapTile(taps: number, rows: number, halves: number): string {
  const h = range(halves);
  const each = (tap: (name: string, half: number) => string, halves: number[]) =>
    range(rows).map((r) =>
      "q = acc; " +
      range(taps).map((i) => halves.map((v) => tap(`a${r}${i}${v}`, v)).join(" ")).join(
        " q += ws; ",
      )
    ).join(" acc += wr; ");
  const sum = (to: string, g: string) =>
    h.map((v) => ` ${to}${v} = fma(x${v}, ${g}${v}, ${to}${v});`).join("");
  const body = range(rows).flatMap((r) => [
    ...(r > 0 ? [`t = s + ${r} * rs;`] : []),
    ...range(taps + 1).map((c) =>
      h.map((v) => `x${v} = v128.load(t, ${16 * v});`).join(" ") + (c < taps ? " t += cs;" : "") +
      (c < taps ? sum(`a${r}${c}`, "g") : "") + (c > 0 ? sum(`a${r}${c - 1}`, "f") : "")
    ),
  ]);
  return [
    `export function taps${taps}x${rows}x${halves}(s0: usize, g0p: usize, acc: usize, m: i32, n: i32, cs: usize, rs: usize, ws: usize, wr: usize, gs: usize, sr: usize, gr: usize): void {`,
    "let acc0 = acc, q: usize;",
    each((a, v) => `let ${a} = v128.load(q, ${16 * v});`, h),
    "for (let i = 0; i < m; i++) {",
    "let s = s0, g = g0p;",
    "for (let j = 0; j < n; j += 2) {",
    h.map((v) => `const g${v} = v128.load(g, ${16 * v});`).join(" ") + " g += gs; " +
    h.map((v) => `const f${v} = v128.load(g, ${16 * v});`).join(" ") + " g += gs; " +
    h.map((v) => `let x${v}: v128;`).join(" ") + " let t = s;",
    ...body,
    "s += 2 * cs;",
    "}",
    "s0 += sr; g0p += gr;",
    "}",
    "acc = acc0;",
    each((a, v) => `v128.store(q, ${a}, ${16 * v});`, downwards(h)),
    "}",
  ].join("\n");
}

/** The tiles and their dispatchers, as one AssemblyScript module. */
export function tilesModule(): string {
  const pick = (name: string, params: string, args: string, cases: [string, string][]) =>
    `export function ${name}(${params}): void {\n` +
    cases.map(([test, call]) => `if (${test}) { ${call}(${args}); return; }`).join("\n") +
    "\nunreachable();\n}";
  const bothHalves = (cases: [string, string][]) =>
    HALVES.flatMap((halves) =>
      cases.map(([test, call]): [string, string] => [
        `${halves === 2 ? "wide" : "!wide"} && ${test}`,
        `${call}x${halves}`,
      ])
    );
  const rowArgs = "s, w, y, cs, rs, ws, wr, ys, kr, more";
  return [
    `import { Z, add, fma, mul } from "./simd.as";`,
    ...POINTWISE_ROWS.flatMap((r) => POINTWISE_VECTORS.map((v) => pointwiseTile(r, v))),
    ...CONVOLUTION_ROWS.flatMap((r) => POINTWISE_VECTORS.map((v) => pointwiseTile(r, v, true))),
    ...TALL_VECTORS.map((v) => pointwiseTile(TALL_ROWS, v, true)),
    ...OUTER_VECTORS.map((v) => outerTile(OUTER_ROWS, v)),
    ...TALL_VECTORS.flatMap((v) => [pointwiseTile(TALL_ROWS, v), outerTile(TALL_ROWS, v)]),
    ...HALVES.flatMap((halves) => [
      slidingTile(false, halves),
      slidingTile(true, halves),
      ...ROW_TILES.map(([taps, outputs]) => rowTile(taps, outputs, halves)),
      ...TAP_TILES.map(([taps, rows]) => tapTile(taps, rows, halves)),
    ]),
    pick(
      "rowTile",
      "taps: i32, outputs: i32, wide: bool, s: usize, w: usize, y: usize, cs: usize, rs: usize, ws: usize, wr: usize, ys: usize, kr: i32, more: bool",
      rowArgs,
      bothHalves(ROW_TILES.map(([t, o]) => [`taps == ${t} && outputs == ${o}`, `row${t}x${o}`])),
    ),
    pick(
      "tapTile",
      "taps: i32, rows: i32, wide: bool, s: usize, g: usize, acc: usize, m: i32, n: i32, cs: usize, rs: usize, ws: usize, wr: usize, gs: usize, sr: usize, gr: usize",
      "s, g, acc, m, n, cs, rs, ws, wr, gs, sr, gr",
      bothHalves(TAP_TILES.map(([t, r]) => [`taps == ${t} && rows == ${r}`, `taps${t}x${r}`])),
    ),
  ].join("\n");
}
