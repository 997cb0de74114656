/** The demo's page: its controls, and what it shows of the news from the search's worker. */

/// <reference lib="dom" />

import type { Genotype } from "../nn/genotypes.ts";
import type { Report } from "../nn/metrics.ts";
import { download, drawCells, type Files } from "./cell_drawings.ts";
import type { BackendChoice } from "./demo_backend.ts";
import { DEFAULT_SETTINGS, demoConfig } from "./demo_config.ts";
import { drawLegend, drawWeights } from "./edge_bars.ts";
import { element, make } from "./elements.ts";
import { LossChart } from "./loss_chart.ts";
import type { Command, News, Place, StepNews } from "./messages.ts";

const start = element<HTMLButtonElement>("start"), pause = element<HTMLButtonElement>("pause");
/** The settings' inputs. */
const inputs = ["seed", "epochs", "images"].map((id) => element<HTMLInputElement>(id));
const backend = element<HTMLSelectElement>("backend");
const progress = element<HTMLProgressElement>("progress");
const chart = new LossChart(element("loss"));
const downloads = [...document.querySelectorAll<HTMLButtonElement>("[data-download]")];
let worker: Worker | undefined, files: Files | undefined;
let config = demoConfig(DEFAULT_SETTINGS);
/** The drawing in the making; the next waits for it. */
let drawing = Promise.resolve();

function say(text: string): void {
  element("state").textContent = text;
}

function send(command: Command): void {
  worker?.postMessage(command);
}

/** Starts a search in a new worker; one that runs ends. */
function startSearch(): void {
  const [seed, epochs, images] = inputs.map((input) => input.valueAsNumber);
  const settings = { seed, epochs, images };
  config = demoConfig(settings);
  worker?.terminate();
  worker = new Worker(new URL("search_worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<News>) => show(data);
  worker.onerror = (event) => show({ type: "failed", message: event.message || "it did not load" });
  chart.clear();
  for (const id of ["alphas", "cells", "notes"]) element(id).replaceChildren();
  element("device").textContent = "";
  for (const button of downloads) button.disabled = true;
  start.textContent = "Start again";
  setPause("Pause", true);
  say("Loading.");
  send({ type: "start", backend: backend.value as BackendChoice, settings });
}

function setPause(text: "Pause" | "Resume", enabled: boolean): void {
  pause.textContent = text;
  pause.disabled = !enabled;
}

function show(news: News): void {
  switch (news.type) {
    case "backend":
      element("device").textContent = `Computes on ${news.description}.`;
      element("notes").replaceChildren(...news.notes.map((note) => make("li", {}, note)));
      break;
    case "compiling":
      say(`Compiling shaders, ${news.done} of ${news.total}.`);
      break;
    case "stage":
      chart.beginStage();
      break;
    case "step":
      return showStep(news);
    case "report":
      chart.add(stepsUntil(news, news.step), {
        weights: news.weights.loss,
        alphas: news.alphas?.loss,
      });
      return showMeans("training", news.weights);
    case "validation":
      chart.add(stepsUntil(news, stepsPerEpoch()), { validation: news.loss });
      return showMeans("validation", news);
    case "architecture":
      drawWeights(element("alphas"), news);
      return showCells(news.genotype);
    case "paused":
      setPause("Resume", true);
      say("Paused.");
      break;
    case "done":
      showCells(news.genotype);
      setPause("Pause", false);
      say(`Found a cell in ${Math.round(news.seconds)} seconds.`);
      break;
    case "failed":
      worker?.terminate();
      setPause("Pause", false);
      say(`The search ended: ${news.message}.`);
  }
}

function stepsPerEpoch(): number {
  return Math.ceil(config.trainImages! / config.batch);
}

/** Steps of the whole search up to one of an epoch. */
function stepsUntil({ stage, epoch }: Place, step: number): number {
  return ((stage - 1) * config.epochs + epoch - 1) * stepsPerEpoch() + step;
}

function showStep({ stage, epoch, step, validating, imagesPerSecond }: StepNews): void {
  const steps = stepsPerEpoch();
  const place = `Stage ${stage} of ${config.stages.length}, epoch ${epoch} of ${config.epochs}.`;
  if (!pause.disabled && element("state").textContent !== place) say(place);
  progress.max = steps;
  progress.value = step;
  element("speed").textContent =
    `${validating ? "Validation batch" : "Step"} ${step} of ${steps}, ` +
    `${imagesPerSecond.toPrecision(3)} images a second`;
}

function showMeans(what: string, { loss, top1 }: Report): void {
  element("loss-text").textContent = `Latest of ${what}: loss ${loss.toFixed(3)}, ` +
    `top-1 accuracy ${(100 * top1).toFixed(0)} % (chance is 10 %).`;
}

function showCells(genotype: Genotype): void {
  const asked = worker;
  drawing = drawing.then(async () => {
    if (asked !== worker) return;
    files = await drawCells(element("cells"), genotype);
    for (const button of downloads) button.disabled = false;
  });
}

element("controls").addEventListener("submit", (event) => {
  event.preventDefault();
  startSearch();
});
pause.addEventListener("click", () => {
  const pausing = pause.textContent === "Pause";
  send({ type: pausing ? "pause" : "resume" });
  say(pausing ? "Pausing after this step." : "Resuming.");
  setPause("Pause", !pausing);
});
for (const button of downloads) {
  button.addEventListener("click", () => download(files!, button.dataset.download!));
}
for (const input of inputs) {
  input.valueAsNumber = DEFAULT_SETTINGS[input.id as keyof typeof DEFAULT_SETTINGS];
}
drawLegend(element("legend"));
