import type { CompletedCommand, CompletedOption, Word } from './tree.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const program = 'incident-io-source';

/** A script that completes the program's commands, options and tables. It is static: completing starts nothing. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash, zsh, fish }[shell](commands);
}

/** Names with spaces stay whole. The bash of macOS, 3.2, has no `compopt`. */
const filesInBash =
  'local IFS=$\'\\n\'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return';

function bash(commands: readonly CompletedCommand[]): string {
  const words = ({ commands: below, options, values }: CompletedCommand) =>
    [...[...below, ...options].map(({ word }) => word), ...values].join(' ');
  return `# Completion of ${program} for bash.
_incident_io_source() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} at="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/\${COMP_WORDS[i]}" in
      ${steps(commands)}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at/$before" in
${valued(commands, 'file', filesInBash)}
${valued(commands, 'text', 'return')}
  esac
  local words=""
  case "$at" in
${commands.map((command) => `    "${command.path}") words="${words(command)}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _incident_io_source ${program}
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  const described = (words: readonly Word[]) =>
    words.map(({ word, description }) => quoted(`${word}:${description}`)).join(' ');
  const offers = (command: CompletedCommand) => `    "${command.path}")
      offered=(${described(command.commands)})
      options=(${described(command.options)})
      values=(${command.values.join(' ')}) ;;`;
  return `#compdef ${program}
# Completion of ${program} for zsh.
_incident_io_source() {
  local at="" i
  local -a offered options values
  for ((i = 2; i < CURRENT; i++)); do
    case "$at/\${words[i]}" in
      ${steps(commands)}) at="\${at:+$at }\${words[i]}" ;;
    esac
  done
  case "$at/\${words[CURRENT-1]}" in
${valued(commands, 'file', '_files; return')}
${valued(commands, 'text', 'return')}
  esac
  case "$at" in
${commands.map(offers).join('\n')}
  esac
  [[ "\${words[CURRENT]}" == -* ]] || { _describe command offered; compadd -a values; }
  _describe option options
}
compdef _incident_io_source ${program}
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const line = (condition: string, rest: string) => `complete -c ${program} -n ${quoted(condition)} ${rest}`;
  const offers = (command: CompletedCommand) => {
    const at = `__incident_io_source_at ${quotedInFish(command.path)}`;
    return [
      ...command.commands.map(({ word, description }) =>
        line(at, `-a ${word} -d ${quotedInFish(description)}`),
      ),
      ...command.options.map((option) => line(at, fishOption(option))),
      ...(command.values.length === 0 ? [] : [line(at, `-a '${command.values.join(' ')}'`)]),
    ].join('\n');
  };
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  return `# Completion of ${program} for fish.
function __incident_io_source_at
  set -l at
  for word in (commandline -opc)[2..]
    contains -- (string join ' ' -- $at $word) ${paths.map(quotedInFish).join(' ')}; and set -a at $word
  end
  test "$at" = "$argv[1]"
end
complete -c ${program} -f
${commands.map(offers).join('\n')}
`;
}

function fishOption({ word, description, value }: CompletedOption): string {
  const takes = value === undefined ? '' : value === 'file' ? ' -r -F' : ' -x';
  return `-l ${word.slice('--'.length)}${takes} -d ${quotedInFish(description)}`;
}

/** A pattern of the shells’ `case` for the words that lead from one command to the next. */
function steps(commands: readonly CompletedCommand[]): string {
  return commands
    .flatMap(({ path, commands: below }) => below.map(({ word }) => `"${path}/${word}"`))
    .join('|');
}

/** A branch for the options whose value is of this kind. */
function valued(commands: readonly CompletedCommand[], kind: 'file' | 'text', then: string): string {
  const patterns = commands.flatMap(({ path, options }) =>
    options.filter(({ value }) => value === kind).map(({ word }) => `"${path}/${word}"`),
  );
  return `    ${patterns.join('|')}) ${then} ;;`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(`'`, `'\\''`)}'`;
}

function quotedInFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll(`'`, `\\'`)}'`;
}
