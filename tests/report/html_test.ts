import { html, jsonScript } from "../../report/html.ts";
import { assertEquals } from "../assert.ts";

Deno.test("html() escapes text, and takes other templates as they are", () => {
  const hostile = `"><script>alert('1')</script>&`;
  const item = html`<b title="${hostile}">${[hostile, 1, undefined]}</b>`;
  const escaped = "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;";
  assertEquals(html`<p>${item}</p>`.text, `<p><b title="${escaped}">${escaped}1</b></p>`);
});

Deno.test("jsonScript() ends at no text of its value", () => {
  const value = { text: "</script><!--" };
  const { text } = jsonScript("data", value);
  const [, json] = /^<script type="application\/json" id="data">(.*)<\/script>$/.exec(text)!;
  assertEquals(json.includes("<"), false);
  assertEquals(JSON.parse(json), value);
});
