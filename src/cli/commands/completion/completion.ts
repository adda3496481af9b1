import { Argument, Command } from 'commander';
import { tables } from '../../../tables/index.ts';
import type { Session } from '../../session.ts';
import { examples } from '../../terminal/help.ts';
import { completionScript, type Shell, shells } from './scripts.ts';
import { commandTree } from './tree.ts';

/** `completion`: a script that completes commands, options and tables in a shell. */
export function completionCommand({ stdout }: Session): Command {
  const command = new Command('completion')
    .description('print a script that completes commands, options and tables in your shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      examples(
        ['bash, in ~/.bashrc', 'source <(incident-io-source completion bash)'],
        ['zsh, in ~/.zshrc after compinit', 'source <(incident-io-source completion zsh)'],
        [
          'fish, once',
          'incident-io-source completion fish > ~/.config/fish/completions/incident-io-source.fish',
        ],
      ),
    )
    .action((shell: Shell) => {
      const names = tables.map(({ name }) => name);
      stdout.write(completionScript(shell, commandTree(command.parent!, names)));
    });
  return command;
}
