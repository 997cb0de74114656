/** NVRTC's calls, declared by the real nvrtc.h: a wrong signature does not compile. */

#include <nvrtc.h>

#include <cstring>
#include <regex>

#include "compile.h"
#include "translate.h"

struct _nvrtcProgram {
  std::string source, name, log, image;
  /** Name and content of each header. */
  std::vector<std::pair<std::string, std::string>> headers;
};

namespace emulator {

namespace {

struct Options {
  std::vector<std::string> preprocessor;
  bool contracts = true;
};

/** Reads the options that NVRTC takes and a kernel of ours may need; false at another. */
bool readOption(const std::string& text, Options& options) {
  static const std::regex define(R"((?:-D|--define-macro=)(.+))"), undefine(R"((?:-U|--undefine-macro=)(.+))"),
      contraction(R"(-?-fmad=(true|false))"),
      other(R"((?:-arch=|--gpu-architecture=)sm_\d+a?|-?-std=c\+\+\d+|-?-restrict|-lineinfo|--generate-line-info)"
            R"(|-default-device|--device-as-default-execution-space|-?-use_fast_math|-?-maxrregcount=\d+)"
            R"(|-?-extra-device-vectorization)");
  std::smatch match;
  if (std::regex_match(text, match, define)) {
    options.preprocessor.push_back("-D" + match[1].str());
  } else if (std::regex_match(text, match, undefine)) {
    options.preprocessor.push_back("-U" + match[1].str());
  } else if (std::regex_match(text, match, contraction)) {
    options.contracts = match[1] == "true";
  } else {
    return std::regex_match(text, other);
  }
  return true;
}

nvrtcResult compile(_nvrtcProgram& program, const Options& options) {
  const TemporaryFolder headers;
  for (const auto& [name, content] : program.headers) writeFile(headers.path + "/" + name, content);
  std::vector<std::string> preprocessor = options.preprocessor;
  preprocessor.push_back("-I" + headers.path);
  const std::string preprocessed = preprocess(program.source, program.name, preprocessor, program.log);
  if (preprocessed.empty()) return NVRTC_ERROR_COMPILATION;
  const std::string image = makeImage(translate(preprocessed), options.contracts);
  const Compilation compiled = compileImage(image);
  program.log = compiled.log;
  if (compiled.library.empty()) return NVRTC_ERROR_COMPILATION;
  program.image = image;
  return NVRTC_SUCCESS;
}

/** Copies a text with its end. */
void copyOut(const std::string& text, char* to) { memcpy(to, text.c_str(), text.size() + 1); }

}  // namespace

}  // namespace emulator

extern "C" {

const char* nvrtcGetErrorString(nvrtcResult result) {
  switch (result) {
    case NVRTC_SUCCESS: return "NVRTC_SUCCESS";
    case NVRTC_ERROR_INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
    case NVRTC_ERROR_INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
    case NVRTC_ERROR_INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
    case NVRTC_ERROR_COMPILATION: return "NVRTC_ERROR_COMPILATION";
    default: return "NVRTC_ERROR_unknown";
  }
}

nvrtcResult nvrtcVersion(int* major, int* minor) {
  *major = 13;
  *minor = 0;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
  *count = 2;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetSupportedArchs(int* architectures) {
  architectures[0] = 80;
  architectures[1] = 90;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCreateProgram(nvrtcProgram* program, const char* source, const char* name, int headerCount,
                               const char* const* headers, const char* const* headerNames) {
  if (!program || !source || headerCount < 0) return NVRTC_ERROR_INVALID_INPUT;
  *program = new _nvrtcProgram{source, name ? name : "default_program", "", "", {}};
  for (int index = 0; index < headerCount; index++) {
    (*program)->headers.push_back({headerNames[index], headers[index]});
  }
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcDestroyProgram(nvrtcProgram* program) {
  if (!program || !*program) return NVRTC_ERROR_INVALID_PROGRAM;
  delete *program;
  *program = nullptr;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int count, const char* const* texts) {
  if (!program) return NVRTC_ERROR_INVALID_PROGRAM;
  emulator::Options options;
  for (int index = 0; index < count; index++) {
    if (emulator::readOption(texts[index], options)) continue;
    program->log = std::string("nvrtc: error: unrecognized option ") + texts[index] + " found\n";
    return NVRTC_ERROR_INVALID_OPTION;
  }
  return emulator::compile(*program, options);
}

nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, size_t* bytes) {
  if (!program) return NVRTC_ERROR_INVALID_PROGRAM;
  *bytes = program->log.size() + 1;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char* log) {
  if (!program) return NVRTC_ERROR_INVALID_PROGRAM;
  emulator::copyOut(program->log, log);
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, size_t* bytes) {
  if (!program || program->image.empty()) return NVRTC_ERROR_INVALID_PROGRAM;
  *bytes = program->image.size() + 1;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char* image) {
  if (!program || program->image.empty()) return NVRTC_ERROR_INVALID_PROGRAM;
  emulator::copyOut(program->image, image);
  return NVRTC_SUCCESS;
}

}
