/**
 * An NVIDIA H100 (SXM, 80 GB) in words, for cuDNN 9.28: what its plans are made for where there is none.
 * The values are as published, not read from a card, which gives its own as the attribute
 * `CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION`.
 */
export const H100: Readonly<Record<string, string | number | readonly number[]>> = {
  deviceName: "NVIDIA H100 80GB HBM3",
  deviceVer: 900,
  driverVer: 13000,
  cudaDeviceId: 0,
  pciDeviceId: 0,
  isTccDriver: 0,
  supportCoopLaunch: 1,
  multiProcessorCount: 132,
  smCountOrigin: 0,
  smClockRateKHz: 1980000,
  memClockRateKHz: 2619000,
  memoryBusWidth: 5120,
  totalGlobalMem: 85017755648,
  l2CacheSize: 52428800,
  warpSize: 32,
  maxGridSize: [2147483647, 65535, 65535],
  maxBlockSize: [1024, 1024, 64],
  maxThreadsPerBlock: 1024,
  maxThreadsPerSM: 2048,
  maxCtasPerSM: 32,
  regsPerBlock: 65536,
  maxRegistersPerSM: 65536,
  maxSharedMemoryPerBlock: 49152,
  maxSharedMemoryPerBlockOptin: 232448,
  reservedSharedMemoryPerBlock: 1024,
  oversizedSharedMemoryPerBlock: 0,
};
