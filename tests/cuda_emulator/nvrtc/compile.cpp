/** Calls of g++ and the cache of what it made. */

#include "compile.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;

namespace emulator {

namespace {

const std::string imageHead = "// image of the emulated NVRTC, contraction ";

std::string hashOf(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  char digits[17];
  snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

/** Runs g++ with a file as its input and its messages in another; whether it succeeded. */
bool runCompiler(std::vector<std::string> options, const std::string& input, const std::string& messages) {
  options.insert(options.begin(), {"g++", "-std=c++17", "-w", "-fdiagnostics-color=never"});
  std::vector<char*> arguments;
  for (std::string& option : options) arguments.push_back(option.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t process;
  const int failure = posix_spawnp(&process, "g++", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    writeFile(messages, "g++ cannot be started\n");
    return false;
  }
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void writeFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string emulatorFolder() {
  Dl_info info;
  dladdr(reinterpret_cast<void*>(&emulatorFolder), &info);
  return std::filesystem::canonical(info.dli_fname).parent_path().string();
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = emulatorFolder() + "/compiling-XXXXXX";
  if (mkdtemp(pattern.data())) path = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path.empty()) std::filesystem::remove_all(path, ignored);
}

std::string makeImage(const std::string& source, bool contracts) {
  return imageHead + (contracts ? "on" : "off") + "\n" + source;
}

bool isImage(const char* image) { return strncmp(image, imageHead.c_str(), imageHead.size()) == 0; }

Compilation compileImage(const std::string& image) {
  const std::string folder = emulatorFolder(), modules = folder + "/modules";
  const std::string library = modules + "/" + hashOf(image) + ".so";
  if (access(library.c_str(), R_OK) == 0) return {library, ""};
  const TemporaryFolder work;
  const std::string source = work.path + "/kernels.cpp", built = work.path + "/kernels.so";
  const bool contracts = image.compare(imageHead.size(), 2, "on") == 0;
  writeFile(source, image);
  const bool done = runCompiler(
      {"-O2", "-march=native", "-fPIC", "-shared", "-fno-exceptions", "-fno-rtti", "-fno-strict-aliasing",
       "-fvisibility=hidden", contracts ? "-ffp-contract=fast" : "-ffp-contract=off", "-I" + folder + "/shim",
       "-o", built, "-x", "c++", "-", "-L" + folder, "-l:libcuda.so.1", "-Wl,-rpath," + folder},
      source, work.path + "/messages");
  const std::string log = readFile(work.path + "/messages");
  if (!done) return {"", log};
  mkdir(modules.c_str(), 0755);
  rename(built.c_str(), library.c_str());  // whole or not at all, whoever else compiles the same
  return {library, log};
}

std::string preprocess(const std::string& source, const std::string& name,
                       const std::vector<std::string>& options, std::string& log) {
  const TemporaryFolder work;
  const std::string input = work.path + "/input.cpp", output = work.path + "/output.cpp";
  writeFile(input, "#line 1 \"" + name + "\"\n" + source);
  // Read from standard input, the folder's name is not in the result.
  std::vector<std::string> all{"-E", "-undef", "-D__CUDACC__", "-D__CUDACC_RTC__", "-D__CUDA_ARCH__=900",
                               "-o", output, "-x", "c++", "-"};
  all.insert(all.begin(), options.begin(), options.end());
  if (runCompiler(all, input, work.path + "/messages")) return readFile(output);
  log = readFile(work.path + "/messages");
  return "";
}

}  // namespace emulator
