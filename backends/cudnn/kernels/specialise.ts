/** Modules compiled once for each value of their constants, where loops are to be unrolled. */

/**
 * A text with other values of its constants.
 *
 * @throws {TypeError} If it has no line `constexpr int NAME = ...;` for one of them.
 */
export function specialise(source: string, constants: Readonly<Record<string, number>>): string {
  return Object.entries(constants).reduce((text, [name, value]) => {
    const line = RegExp(`constexpr int ${name} = \\d+;`);
    if (!line.test(text)) throw new TypeError(`CUDA source has no constant ${name}`);
    return text.replace(line, `constexpr int ${name} = ${value};`);
  }, source);
}

/** Remembers what is made for each key. */
export function remembered<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
