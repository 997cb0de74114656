/**
 * What a page does besides its charts: it copies genotypes, and where it is live, follows the run.
 *
 * The server sends an event with each change, whereupon the page is fetched again and takes its parts; what
 * is open, scrolled to or focused stays so. The last event carries the page, as the server then ends.
 */

/* global drawCharts */

/** Milliseconds between two fetches of a live page, at least. */
const REFRESH = 1000;

async function copyText(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    const area = document.createElement("textarea");
    area.value = button.dataset.copy;
    button.after(area);
    area.select();
    button.textContent = document.execCommand("copy") ? "Copied" : "Copy by hand";
    area.remove();
    button.focus();
  }
  setTimeout(() => button.textContent = "Copy", 2000);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button.copy");
  if (button) copyText(button);
});

/** Takes the parts of another page of the same run. */
function take(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const open = [...document.querySelectorAll("details[open]")].map(({ id }) => id);
  const focused = document.activeElement?.id;
  for (const id of open) fresh.getElementById(id)?.setAttribute("open", "");
  const scrolled = scrollY;
  document.querySelector("main").replaceWith(fresh.querySelector("main"));
  document.getElementById("charts").replaceWith(fresh.getElementById("charts"));
  document.title = fresh.title;
  drawCharts();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  scrollTo(0, scrolled);
}

function follow() {
  const status = document.getElementById("live");
  const say = (sentence) => {
    if (status.textContent !== sentence) status.textContent = sentence;
  };
  let version, due = false, fetching = false, ended = false;
  const refresh = async () => {
    if (fetching) return due = true;
    fetching = true;
    try {
      take(await (await fetch("/")).text());
    } catch {
      say("The run cannot be reached.");
    }
    setTimeout(() => {
      fetching = false;
      if (due) refresh();
      due = false;
    }, REFRESH);
  };
  const events = new EventSource("/events");
  events.onopen = () => say("Live");
  events.onmessage = ({ data }) => {
    if (version !== undefined && data !== version) refresh();
    version = data;
  };
  events.addEventListener("end", ({ data }) => {
    ended = true;
    take(JSON.parse(data));
    say("The run has ended.");
  });
  events.onerror = () => {
    if (ended) events.close(); // else the browser would connect again
    else say("The run's process cannot be reached; trying again.");
  };
}

drawCharts();
if ("live" in document.documentElement.dataset) follow();
