/**
 * HTML from templates: whatever is put into one is text, and escaped, unless it is a template's result.
 *
 * Invariant: nothing that a run's files hold reaches a page but through here.
 */

import { escape } from "deno-std/html/mod.js";

/** A piece of HTML. */
export class Html {
  /** The text of it. */
  readonly text: string;

  /** @param text What is HTML already. */
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes. */
export type Content = Html | string | number | undefined | readonly Content[];

/** The piece of HTML that a template makes; strings and numbers are escaped, lists joined. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return new Html(parts.map((part, i) => part + htmlText(contents[i])).join(""));
}

function htmlText(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(htmlText).join("");
  return escape(String(content));
}

/** A value as the content of a `<script type="application/json">`, which ends at no text of the value. */
export function jsonScript(id: string, value: unknown): Html {
  const json = JSON.stringify(value).replaceAll("<", "\\u003c");
  return html`<script type="application/json" id="${id}">${new Html(json)}</script>`;
}
