/**
 * The translation of kernels: textual, since the shim's macros and C++ do the rest.
 *
 * Which kernels meet at barriers is found by name: a function does if its text names a barrier, a warp
 * operation, or a function or type that does.
 */

#include "translate.h"

#include <regex>
#include <set>
#include <vector>

namespace emulator {

namespace {

struct Kernel {
  std::string name;
  /** The arguments of `__launch_bounds__`, or nothing. */
  std::string bounds;
};

const std::string bound = R"((?:__launch_bounds__\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*)?)";
const std::regex kernelHead(R"(extern\s+"C"\s+__global__\s+)" + bound + R"(void\s+)" + bound + R"((\w+)\s*\()");
const std::regex dynamicArray(
    R"(extern\s+__shared__\s+((?:__align__\s*\(\d+\)\s+|alignas\s*\(\d+\)\s+)?)([\w:][\w:\s]*?)\s+(\w+)\s*\[\s*\]\s*;)");
const std::regex barrierName(R"(\b(__sync\w+|__shfl_\w+|__ballot_sync|__any_sync|__all_sync)\b)");
const std::regex word(R"([A-Za-z_]\w*)");

std::vector<Kernel> kernelsOf(const std::string& source) {
  std::vector<Kernel> kernels;
  for (std::sregex_iterator match(source.begin(), source.end(), kernelHead), end; match != end; ++match) {
    kernels.push_back({(*match)[3], (*match)[1].matched ? (*match)[1] : (*match)[2]});
  }
  return kernels;
}

/** A definition at the outermost level: the name it defines, and its text. */
struct Definition {
  std::string name, text;
};

/** The name before the first parenthesis, or behind `struct`. */
std::string definedName(const std::string& text) {
  static const std::regex structure(R"(\b(?:struct|class)\s+(\w+)[^;(]*\{)"), function(R"((\w+)\s*\()");
  std::string head = std::regex_replace(text.substr(0, text.find('{')), std::regex(bound), "");
  std::smatch match;
  if (std::regex_search(text, match, structure) && match.position() < static_cast<long>(head.size())) return match[1];
  return std::regex_search(head, match, function) ? match[1].str() : "";
}

std::vector<Definition> definitionsOf(const std::string& source) {
  std::vector<Definition> definitions;
  size_t start = 0;
  int depth = 0;
  for (size_t at = 0; at < source.size(); at++) {
    if (source[at] == '{') depth++;
    const bool closes = source[at] == '}' && --depth == 0;
    if (!closes && !(source[at] == ';' && depth == 0)) continue;
    const std::string text = source.substr(start, at + 1 - start);
    definitions.push_back({definedName(text), text});
    start = at + 1;
  }
  return definitions;
}

/** The names of all that meets at barriers, directly or through what it names. */
std::set<std::string> synchronising(const std::string& source) {
  const std::vector<Definition> definitions = definitionsOf(source);
  std::set<std::string> names;
  const auto meets = [&](const Definition& definition) {
    if (std::regex_search(definition.text, barrierName)) return true;
    const std::string& text = definition.text;
    for (std::sregex_iterator match(text.begin(), text.end(), word), end; match != end; ++match) {
      if (match->str() != definition.name && names.count(match->str())) return true;
    }
    return false;
  };
  // Definitions come before their uses, so that one pass finds all.
  for (const Definition& definition : definitions) {
    if (!definition.name.empty() && meets(definition)) names.insert(definition.name);
  }
  return names;
}

}  // namespace

std::string translate(const std::string& preprocessed) {
  const std::set<std::string> meeting = synchronising(preprocessed);
  std::string source = std::regex_replace(
      preprocessed, dynamicArray, "$2* const $3 = reinterpret_cast<$2*>(emulator::dynamicShared);");
  source = std::regex_replace(source, std::regex(R"(extern\s+"C"\s+__global__)"), "__global__");
  source = std::regex_replace(source, std::regex(R"(#pragma unroll[ \t]*\(?(\d+)\)?)"), "#pragma GCC unroll $1");
  source = std::regex_replace(source, std::regex(R"(#pragma unroll[ \t]*\n)"), "#pragma GCC unroll 16\n");
  std::string result = "#include \"kernel.h\"\nnamespace {\n" + source + "\n}\n";
  for (const Kernel& kernel : kernelsOf(preprocessed)) {
    result += "PDARTS_KERNEL(" + kernel.name + ", " + (meeting.count(kernel.name) ? "true" : "false") +
              (kernel.bounds.empty() ? "" : ", " + kernel.bounds) + ")\n";
  }
  return result;
}

}  // namespace emulator
