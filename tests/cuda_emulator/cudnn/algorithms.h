/** Algorithms and their workspaces. */
#pragma once

#include <cstddef>

#include "cudnn_state.h"

namespace emulator {

/** Bytes that an algorithm, by its number in cuDNN's enum, wants beside the tensors. */
size_t workspaceBytes(int algorithm, const cudnnFilterStruct& filter);

}  // namespace emulator
