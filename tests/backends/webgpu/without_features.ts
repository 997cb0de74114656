/** An adapter that has no features, for tests of what asks for them. */

/** Runs `body` while every adapter says that it is an old card. */
export async function withoutFeatures<T>(body: () => Promise<T>): Promise<T> {
  const { requestAdapter } = navigator.gpu;
  const none = { description: "old card", subgroupMaxSize: 0 };
  navigator.gpu.requestAdapter = async (options) => {
    const real = (await requestAdapter.call(navigator.gpu, options))!;
    return new Proxy(real, {
      get: (target, key) => {
        if (key === "info") return none;
        if (key === "features") return new Set();
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  try {
    return await body();
  } finally {
    navigator.gpu.requestAdapter = requestAdapter;
  }
}
