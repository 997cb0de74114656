/**
 * Writes the unrolled inner loops of the SIMD kernels as AssemblyScript.
 *
 * A 128-bit lane set has 16 registers, and Deno's engine checks the bounds of every load (some four
 * instructions), so tiles are chosen for few loads: operands are loaded as vectors and their lanes
 * spread by shuffles, which makes the filter gradient 1.27 times, the pointwise product 1.06 times as
 * fast as loading each value spread. Loads at one offset from a moving pointer share part of a check.
 */

const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

/** Rows and vectors of the pointwise tiles: 4 x 2 accumulators, 4 vectors of x, 2 weights, 1 spread value. */
const POINTWISE_ROWS = [4, 2, 1], POINTWISE_VECTORS = [2, 1];
/** Channel rows of the pointwise filter gradient tiles. */
const OUTER_ROWS = 4, OUTER_VECTORS = [2, 1];
/** Taps in a row, and outputs a tile makes: taps + outputs + 1 registers at most 16. */
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
 * differences from a pivot, and their squares `ss` bytes behind; the pivot lies `2 ss` behind.
 */
function pointwiseTile(rows: number, vectors: number): string {
  const lanes = range(vectors), pixels = range(rows);
  const a = (r: number, v: number) => `a${r}${v}`;
  return [
    `export function pw${rows}x${vectors}(x: usize, ldx: usize, w: usize, K: i32, P: i32, y: usize, tab: usize, st: usize, ss: usize): void {`,
    `for (; P > 0; P -= ${rows}) {`,
    pixels.map((r) => lanes.map((v) => `let ${a(r, v)} = Z();`).join(" ")).join(" "),
    `let u = w, x0 = x;` + pixels.slice(1).map((r) => ` let x${r} = x${r - 1} + ldx;`).join(""),
    `x = x${rows - 1} + ldx;`,
    `for (let k = 0; k < K; k += 4) {`,
    pixels.map((r) => `const v${r} = v128.load(x${r}); x${r} += 16;`).join(" ") +
    " let s: v128;",
    ...range(4).flatMap((k) => [
      "{ " + lanes.map((v) => `const w${v} = v128.load(u, ${16 * v});`).join(" ") +
      ` u += ${16 * vectors};`,
      ...pixels.map((r) =>
        `s = ${spread(`v${r}`, k)};` +
        lanes.map((v) => ` ${a(r, v)} = fma(s, w${v}, ${a(r, v)});`).join("")
      ),
      "}",
    ]),
    `}`,
    ...pixels.map((r) =>
      `${r === 0 ? "let " : ""}q = y + <usize>load<u32>(tab, ${4 * r});` +
      lanes.map((v) => ` v128.store(q, ${a(r, v)}, ${16 * v});`).join("")
    ),
    `tab += ${4 * rows};`,
    `if (st) {`,
    ...lanes.flatMap((v) => [
      `let p${v} = v128.load(st + 2 * ss, ${16 * v}), t${v} = f32x4.sub(${
        a(0, v)
      }, p${v}), u${v} = f32x4.mul(t${v}, t${v})${rows > 1 ? `, d${v}: v128` : ""};`,
      ...pixels.slice(1).map((r) =>
        `d${v} = f32x4.sub(${
          a(r, v)
        }, p${v}); t${v} = add(t${v}, d${v}); u${v} = fma(d${v}, d${v}, u${v});`
      ),
      ...[["t", "st"], ["u", "st + ss"]].map(([sum, at]) =>
        `v128.store(${at}, add(v128.load(${at}, ${16 * v}), ${sum}${v}), ${16 * v});`
      ),
    ]),
    `}`,
    `}`,
    `}`,
  ].join("\n");
}

/** Lane `lane` of a vector in all lanes. */
function spread(vector: string, lane: number): string {
  return `v128.shuffle<f32>(${vector}, ${vector}, ${lane}, ${lane}, ${lane}, ${lane})`;
}

/** `w[rows][vectors * 4] += sum over pixels of d[p][rows] g[p][vectors * 4]`. */
function outerTile(rows: number, vectors: number): string {
  const lanes = range(vectors), a = (r: number, v: number) => `a${r}${v}`;
  const each = (row: (r: number) => string) => range(rows).map(row).join(" q += ldw; ");
  return [
    `export function outer${rows}x${vectors}(d: usize, ldd: usize, g: usize, ldg: usize, P: i32, w: usize, ldw: usize): void {`,
    "let q = w; " +
    each((r) => lanes.map((v) => `let ${a(r, v)} = v128.load(q, ${16 * v});`).join(" ")),
    `for (let i = 0; i < P; i++) {`,
    lanes.map((v) => `const g${v} = v128.load(g, ${16 * v});`).join(" ") +
    " const x = v128.load(d); let s: v128;",
    ...range(rows).map((r) =>
      `s = ${spread("x", r)};` +
      lanes.map((v) => ` ${a(r, v)} = fma(s, g${v}, ${a(r, v)});`).join("")
    ),
    `d += ldd; g += ldg;`,
    `}`,
    "q = w; " + each((r) => lanes.map((v) => `v128.store(q, ${a(r, v)}, ${16 * v});`).join(" ")),
    `}`,
  ].join("\n");
}

/** A 3-tap window of 3 rows sliding along one row of n outputs: 9 taps + 3 sums in registers. */
function slidingTile(more: boolean): string {
  const tap = (column: number, sums: [string, number][]) =>
    ["s", "t", "v"].map((row, r) =>
      `x = v128.load(${row});` +
      sums.map(([sum, c]) => ` ${sum} = fma(x, w${3 * r + c}, ${sum});`).join("")
    ).join(" ") + (column < 2 ? " s += cs; t += cs; v += cs;" : "");
  return [
    `export function slide3${
      more ? "Add" : ""
    }(s: usize, w: usize, y: usize, n: i32, cs: usize, rs: usize, ws: usize, ys: usize): void {`,
    "let u = w; " + range(9).map((i) => `const w${i} = v128.load(u); u += ws;`).join(" "),
    "let a = Z(), b = Z(), t = s + rs, v = t + rs, x: v128;",
    tap(0, [["a", 0]]),
    tap(1, [["b", 0], ["a", 1]]),
    "for (let j = 0; j < n; j++) {",
    "x = v128.load(s); let c = f32x4.mul(x, w0); b = fma(x, w1, b); a = fma(x, w2, a);",
    "x = v128.load(t); c = fma(x, w3, c); b = fma(x, w4, b); a = fma(x, w5, a);",
    "x = v128.load(v); c = fma(x, w6, c); b = fma(x, w7, b); a = fma(x, w8, a);",
    `v128.store(y, ${more ? "add(v128.load(y), a)" : "a"}); a = b; b = c;`,
    "s += cs; t += cs; v += cs; y += ys;",
    "}",
    "}",
  ].join("\n");
}

/** `outputs` columns of a window: kr rows of `taps` taps; `more` adds to y. */
function rowTile(taps: number, outputs: number): string {
  const columns = range(outputs);
  const steps = range(outputs + taps - 1).map((column) => {
    const sums = range(taps).filter((i) => column - i >= 0 && column - i < outputs)
      .map((i) => ` a${column - i} = fma(x, w${i}, a${column - i});`).join("");
    return `x = v128.load(q);${column < outputs + taps - 2 ? " q += cs;" : ""}${sums}`;
  });
  return [
    `export function row${taps}x${outputs}(s: usize, w: usize, y: usize, cs: usize, rs: usize, ws: usize, wr: usize, ys: usize, kr: i32, more: bool): void {`,
    columns.map((c) => `let a${c} = Z();`).join(" "),
    `if (more) { let q = y; ${columns.map((c) => `a${c} = v128.load(q);`).join(" q += ys; ")} }`,
    "for (let r = 0; r < kr; r++) {",
    "let q = s, u = w, x: v128;",
    range(taps).map((i) => `const w${i} = v128.load(u);`).join(" u += ws; "),
    ...steps,
    "s += rs; w += wr;",
    "}",
    columns.map((c) => `v128.store(y, a${c});`).join(" y += ys; "),
    "}",
  ].join("\n");
}

/** Gradient of `rows` x `taps` filter taps over m rows of n columns, two columns an iteration. */
function tapTile(taps: number, rows: number): string {
  const each = (tap: (r: number, i: number) => string) =>
    range(rows).map((r) => "q = acc; " + range(taps).map((i) => tap(r, i)).join(" q += ws; "))
      .join(" acc += wr; ");
  const body = range(rows).flatMap((r) => [
    ...(r > 0 ? [`t = s + ${r} * rs;`] : []),
    ...range(taps + 1).map((c) =>
      `x = v128.load(t);${c < taps ? " t += cs;" : ""}` +
      (c < taps ? ` a${r}${c} = fma(x, g0, a${r}${c});` : "") +
      (c > 0 ? ` a${r}${c - 1} = fma(x, g1, a${r}${c - 1});` : "")
    ),
  ]);
  return [
    `export function taps${taps}x${rows}(s0: usize, g0p: usize, acc: usize, m: i32, n: i32, cs: usize, rs: usize, ws: usize, wr: usize, gs: usize, sr: usize, gr: usize): void {`,
    "let acc0 = acc, q: usize;",
    each((r, i) => `let a${r}${i} = v128.load(q);`),
    "for (let i = 0; i < m; i++) {",
    "let s = s0, g = g0p;",
    "for (let j = 0; j < n; j += 2) {",
    "const g0 = v128.load(g), g1 = v128.load(g + gs); g += 2 * gs; let x: v128, t = s;",
    ...body,
    "s += 2 * cs;",
    "}",
    "s0 += sr; g0p += gr;",
    "}",
    "acc = acc0;",
    each((r, i) => `v128.store(q, a${r}${i});`),
    "}",
  ].join("\n");
}

/** The tiles and their dispatchers, as one AssemblyScript module. */
export function tilesModule(): string {
  const pick = (name: string, params: string, args: string, cases: [string, string][]) =>
    `export function ${name}(${params}): void {\n` +
    cases.map(([test, call]) => `if (${test}) { ${call}(${args}); return; }`).join("\n") +
    "\nunreachable();\n}";
  const rowArgs = "s, w, y, cs, rs, ws, wr, ys, kr, more";
  return [
    `import { Z, add, fma } from "./simd.as";`,
    ...POINTWISE_ROWS.flatMap((r) => POINTWISE_VECTORS.map((v) => pointwiseTile(r, v))),
    ...OUTER_VECTORS.map((v) => outerTile(OUTER_ROWS, v)),
    slidingTile(false),
    slidingTile(true),
    ...ROW_TILES.map(([taps, outputs]) => rowTile(taps, outputs)),
    ...TAP_TILES.map(([taps, rows]) => tapTile(taps, rows)),
    pick(
      "rowTile",
      "taps: i32, outputs: i32, s: usize, w: usize, y: usize, cs: usize, rs: usize, ws: usize, wr: usize, ys: usize, kr: i32, more: bool",
      rowArgs,
      ROW_TILES.map(([t, o]) => [`taps == ${t} && outputs == ${o}`, `row${t}x${o}`]),
    ),
    pick(
      "tapTile",
      "taps: i32, rows: i32, s: usize, g: usize, acc: usize, m: i32, n: i32, cs: usize, rs: usize, ws: usize, wr: usize, gs: usize, sr: usize, gr: usize",
      "s, g, acc, m, n, cs, rs, ws, wr, gs, sr, gr",
      TAP_TILES.map(([t, r]) => [`taps == ${t} && rows == ${r}`, `taps${t}x${r}`]),
    ),
  ].join("\n");
}
