import { EventFiles } from "../../../report/tensorboard/event_files.ts";
import { EVENT } from "../../../report/tensorboard/messages.ts";
import { assertAlmostEquals, assertEquals } from "../../assert.ts";
import { scratchPermitted, withScratch } from "../../scratch.ts";
import { makeSearch } from "../made_up_run.ts";

interface Event {
  step?: string;
  fileVersion?: string;
  summary?: {
    value: { tag: string; simpleValue?: number; histo?: { num: number }; image?: object }[];
  };
}

/** The events of the only file in a run's folder of them. */
function eventsOf(run: string): Event[] {
  const [{ name }, ...others] = Deno.readDirSync(`${run}/tensorboard`);
  assertEquals(others, []);
  const bytes = Deno.readFileSync(`${run}/tensorboard/${name}`), events: Event[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(new DataView(bytes.buffer, at).getBigUint64(0, true));
    const event = EVENT.decode(bytes.subarray(at + 12, at + 12 + length));
    events.push(EVENT.toObject(event, { longs: String }) as Event);
    at += length + 16;
  }
  return events;
}

const ignore = !scratchPermitted();

Deno.test({
  name: "EventFiles.update() writes each value once, and begins again with a resumed run",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      makeSearch(folder, { epochs: 1 });
      const files = new EventFiles(folder);
      await files.update();
      const first = eventsOf(folder);
      makeSearch(folder, { epochs: 2 });
      await files.update();
      const grown = eventsOf(folder);
      await new EventFiles(folder).update();
      const keys = (events: Event[]) =>
        events.map(({ step, summary }) => `${summary?.value[0].tag} ${step}`);
      assertEquals(first[0].fileVersion, "brain.Event:2");
      assertEquals(keys(grown).slice(0, first.length), keys(first));
      assertEquals(new Set(keys(grown)).size, grown.length);
      assertEquals(new Set(keys(eventsOf(folder))).size <= grown.length, true);
    }),
});

Deno.test({
  name: "EventFiles.update() writes scalars, histograms and images",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      makeSearch(folder, { epochs: 1 });
      await new EventFiles(folder).update();
      const values = eventsOf(folder).flatMap(({ summary }) => summary?.value ?? []);
      const of = (tag: string) => values.filter((value) => value.tag === tag);
      assertEquals(of("loss/weights").length, 3);
      assertAlmostEquals(of("loss/weights")[0].simpleValue!, 2.3 - 2 / 3, 1e-6);
      assertEquals(of("alphas/normal").map(({ histo }) => histo!.num), [14 * 8, 14 * 5, 14 * 3]);
      assertEquals(of("cells/reduce").every(({ image }) => image !== undefined), true);
      assertEquals(of("cells/reduce").length, 3);
    }),
});
