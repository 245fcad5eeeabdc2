// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft completion SHELL: a script that completes commands and options, made from what the program itself parses.
#include "tools/weft/Command.h"

#include <cstdio>

namespace weft::cli {
namespace {

std::vector<const CLI::App *> commandsOf(const CLI::App &weft) {
  return weft.get_subcommands([](const CLI::App *) { return true; });
}

/// "--target --shape", the options of a command.
std::string optionsOf(const CLI::App &command) {
  std::string words;
  for (const CLI::Option *option : command.get_options())
    for (const std::string &name : option->get_lnames())
      words += (words.empty() ? "--" : " --") + name;
  return words;
}

std::string bashScript(const CLI::App &weft) {
  std::string cases, names;
  for (const CLI::App *command : commandsOf(weft)) {
    names += command->get_name() + " ";
    cases += "    " + command->get_name() + ") words=\"" + optionsOf(*command) + "\" ;;\n";
  }
  return "# weft completion bash: source it, or put it into /etc/bash_completion.d\n"
         "_weft() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} words\n"
         "  case \"${COMP_WORDS[1]}\" in\n" +
         cases + "    *) words=\"" + names + optionsOf(weft) +
         "\" ;;\n"
         "  esac\n"
         "  if [[ $word == -* || $COMP_CWORD -eq 1 ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _weft weft\n";
}

std::string zshScript(const CLI::App &weft) {
  std::string names, cases;
  for (const CLI::App *command : commandsOf(weft)) {
    names += " " + command->get_name();
    cases += "    " + command->get_name() + ") compadd -- " + optionsOf(*command) + " ;;\n";
  }
  return "#compdef weft\n"
         "# weft completion zsh: put it as _weft into a folder of $fpath\n"
         "if (( CURRENT == 2 )); then\n"
         "  compadd --" +
         names + " " + optionsOf(weft) +
         "\nelif [[ $PREFIX == -* ]]; then\n"
         "  case $words[2] in\n" +
         cases +
         "  esac\n"
         "else\n"
         "  _files\n"
         "fi\n";
}

/// Text in a shell's single quotes.
std::string quoted(const std::string &text) {
  std::string result = "'";
  for (char letter : text)
    result += letter == '\'' ? "\\'" : std::string(1, letter);
  return result + "'";
}

std::string fishScript(const CLI::App &weft) {
  std::string script = "# weft completion fish: put it into ~/.config/fish/completions/weft.fish\n";
  for (const CLI::App *command : commandsOf(weft)) {
    script += "complete -c weft -n __fish_use_subcommand -f -a " + command->get_name() + " -d " +
              quoted(command->get_description()) + "\n";
    for (const CLI::Option *option : command->get_options())
      for (const std::string &name : option->get_lnames())
        script += "complete -c weft -n '__fish_seen_subcommand_from " + command->get_name() + "' -l " + name + " -d " +
                  quoted(option->get_description()) + "\n";
  }
  return script;
}

} // namespace

void addCompletion(CLI::App &weft, int &exitCode) {
  auto shell = std::make_shared<std::string>();
  CLI::App *command =
      weft.add_subcommand("completion", "Print a script that completes weft's command lines")->group("Commands");
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("");
  command->callback([shell, &weft, &exitCode] {
    std::string script = *shell == "bash"   ? bashScript(weft)
                         : *shell == "zsh"  ? zshScript(weft)
                         : *shell == "fish" ? fishScript(weft)
                                            : "";
    if (script.empty())
      exitCode =
          fail({"W0503", "there is no completion for '" + *shell + "'", "weft completion", "use bash, zsh or fish"});
    std::fputs(script.c_str(), stdout);
  });
}

} // namespace weft::cli
