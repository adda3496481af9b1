import type { Command } from 'commander';

/** A command as a completion script needs it. */
export type CompletedCommand = {
  /** The words that lead to it, such as `runs show`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly CompletedOption[];
  /** The values that its arguments may have, if they are known: names of tables, for example. */
  readonly values: readonly string[];
};

export type Word = { readonly word: string; readonly description: string };

export type CompletedOption = Word & {
  /** What its value is; missing if it takes none. */
  readonly value?: 'file' | 'text';
};

/** A command and those below it, from the declarations that its help is made of. */
export function commandTree(command: Command, tables: readonly string[], path = ''): CompletedCommand[] {
  const helper = command.createHelp();
  const below = command.commands;
  const own: CompletedCommand = {
    path,
    commands: below.map((one) => ({ word: one.name(), description: helper.subcommandDescription(one) })),
    options: helper.visibleOptions(command).flatMap((option) => {
      if (option.long === undefined) return [];
      const { long: word, description } = option;
      const name =
        option.required || option.optional ? (/<([a-z]+)/.exec(option.flags)?.[1] ?? '') : undefined;
      if (name === undefined) return [{ word, description }];
      return [{ word, description, value: files.has(name) ? 'file' : 'text' }];
    }),
    values: command.registeredArguments.flatMap((argument) =>
      argument.name() === 'table' ? tables : (argument.argChoices ?? []),
    ),
  };
  return [own, ...below.flatMap((one) => commandTree(one, tables, `${path} ${one.name()}`.trim()))];
}

/** The names of values, as the help shows them, that are files or folders. */
const files = new Set(['file', 'path', 'destination']);
