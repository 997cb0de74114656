// Results of branches from one form to the other, for who knows floats alone: a value a thread, 6 bytes
// each, the floor.

extern "C" __global__ void widen(const Bfloat16* from, float* to, unsigned int items) {
  const unsigned int item = threadNumber();
  if (item < items) to[item] = from[item];
}

extern "C" __global__ void narrow(const float* from, Bfloat16* to, unsigned int items) {
  const unsigned int item = threadNumber();
  if (item < items) to[item] = from[item];
}
