"""Opens the event files of a run with TensorBoard itself, and asks its server for what it shows.

    python3 tests/report/tensorboard_check.py RUN TAG...

Each tag is one of the server's: scalars, histograms or images. Ends with 1 where one is missing or empty.
"""

import json
import sys
import time
import urllib.parse
import urllib.request

from tensorboard import program

TRIES = 60
PLUGINS = ("scalars", "histograms", "images")


def ask(url, path, **query):
    with urllib.request.urlopen(f"{url}data/plugin/{path}?{urllib.parse.urlencode(query)}") as answer:
        return json.load(answer)


def shown(url):
    """Numbers of values by tag: {plugin: {tag: count}}, over all runs that the server has found."""
    counts = {}
    for plugin in PLUGINS:
        tags = ask(url, f"{plugin}/tags")
        for run, of_run in tags.items():
            for tag in of_run:
                values = ask(url, f"{plugin}/{plugin}", run=run, tag=tag, sample=0)
                of_tag = counts.setdefault(plugin, {})
                of_tag[tag] = of_tag.get(tag, 0) + len(values)
                if plugin == "images":
                    check_image(url, values[0]["query"])
    return counts


def check_image(url, query):
    with urllib.request.urlopen(f"{url}data/plugin/images/individualImage?{query}") as answer:
        if answer.read(8) != b"\x89PNG\r\n\x1a\n":
            raise SystemExit("an image is no PNG")


def main(run, tags):
    server = program.TensorBoard()
    server.configure(argv=["tensorboard", "--logdir", run, "--host", "127.0.0.1", "--port", "0", "--load_fast", "false"])
    url = server.launch()
    for _ in range(TRIES):
        counts = shown(url)
        found = {tag for of_plugin in counts.values() for tag in of_plugin}
        if set(tags) <= found:
            print(json.dumps(counts, indent=2, sort_keys=True))
            return 0
        time.sleep(0.5)
    print(f"TensorBoard shows {sorted(found)}, not {sorted(set(tags) - found)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
