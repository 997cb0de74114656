/**
 * Compiling a translated kernel source with g++, once for each content.
 *
 * An image, what the emulated NVRTC calls a cubin, is that source behind a first line of its own. So an image
 * kept from an earlier build of the emulator still loads: it is compiled again.
 */
#pragma once

#include <string>
#include <vector>

namespace emulator {

struct Compilation {
  /** Path of the library; empty if the compiler refused. */
  std::string library;
  std::string log;
};

/** An image of this translated source; without contraction no multiply-adds are formed. */
std::string makeImage(const std::string& source, bool contracts);
bool isImage(const char* image);

/** The library of an image, compiled unless it is in the cache beside the emulator. */
Compilation compileImage(const std::string& image);

/** Runs the C++ preprocessor over CUDA C; empty with a log if it refused. */
std::string preprocess(const std::string& source, const std::string& name,
                       const std::vector<std::string>& options, std::string& log);

/** The folder that holds the emulator's libraries. */
std::string emulatorFolder();

std::string readFile(const std::string& path);
void writeFile(const std::string& path, const std::string& content);

/** An empty folder of its own, removed at the end. */
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  std::string path;
};

}  // namespace emulator
