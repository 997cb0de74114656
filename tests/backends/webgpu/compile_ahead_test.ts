/** Tests of compiling before a stage: what is compiled, that nothing else happens, and what it says. */

import { BackendError } from "../../../backends/contract.ts";
import type { WebGpuBackend } from "../../../backends/webgpu/backend.ts";
import { compileAhead } from "../../../backends/webgpu/compile_ahead.ts";
import { program } from "../../../backends/webgpu/program.ts";
import { drySteps } from "../../../search/dry_steps.ts";
import { StageTrainer } from "../../../search/stage_trainer.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { tinyBatch, tinySettings } from "../../search/tiny_network.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

const SETTINGS = tinySettings({ skipDropout: 0.3 });

/** Labels of the pipelines made from now on. */
function pipelinesOf({ device }: WebGpuBackend): string[] {
  const labels: string[] = [], create = device.createComputePipeline.bind(device);
  device.createComputePipeline = (descriptor) => {
    labels.push(descriptor.label ?? "");
    return create(descriptor);
  };
  return labels;
}

for (const recorded of [false, true]) {
  const name = recorded ? "a recorded stage" : "a stage";
  webgpuTest(`compileAhead() leaves nothing to compile to ${name}`, async ({ backend, webgpu }) => {
    const recorder = () => recorded ? backend.createRecorder!() : undefined;
    const trainer = new StageTrainer(SETTINGS, recorder()), batch = tinyBatch(1);
    const state = await trainer.state(), { current } = backend.memory();
    const pipelines = pipelinesOf(webgpu);
    const size = batch.size;
    await backend.compileAhead!(
      () => drySteps(SETTINGS, { size, recorder: recorder() }),
      () => {},
    );
    assert(pipelines.includes("batch norm"), "our programs");
    assertEquals(backend.memory().current, current, "bytes");
    assertEquals(await trainer.state(), state);
    pipelines.length = 0;
    trainer.weightStep(batch);
    trainer.alphaStep(batch);
    trainer.evaluate(batch);
    assertEquals((await trainer.report("evaluation")).samples, size);
    assertEquals(pipelines, []);
    trainer.dispose();
  });
}

webgpuTest(
  "compileAhead() counts every program and shares them with threads",
  async ({ webgpu }) => {
    const counted: string[] = [], pipelines = pipelinesOf(webgpu);
    const names = new Set<string>(), { run } = webgpu;
    const body = () => {
      webgpu.run = (program, call) => {
        names.add(program.name);
        run.call(webgpu, program, call);
      };
      drySteps(SETTINGS, { size: 4 });
      webgpu.run = run;
      pipelines.length = 0; // tfjs's own
    };
    await compileAhead(webgpu, body, {
      adapter: "high-performance",
      onProgress: (done, total) => counted.push(`${done}/${total}`),
      patience: 0,
    });
    const { size } = names;
    assert(size > 30, `${size} programs`);
    assertEquals(counted, Array.from(names, (_, index) => `${index + 1}/${size}`));
    assertEquals(pipelines.toSorted(), [...names].toSorted());
  },
);

webgpuTest("compileAhead() names a program that does not compile", async ({ backend, webgpu }) => {
  const broken = program(
    "broken",
    `struct Uniforms { elements: i32 }
     @group(0) @binding(0) var<uniform> u: Uniforms;
     @compute @workgroup_size(64) fn main() { nonsense; }`,
  );
  const body = () => webgpu.run(broken, { buffers: [], uniforms: { elements: 0 }, invocations: 1 });
  const { message } = await assertRejects(
    () => backend.compileAhead!(body, () => {}),
    BackendError,
  );
  assert(/program broken does not compile: .*nonsense/.test(message), message);
});
