/** One line of a help text that shows a command at work. */
type Example = readonly [purpose: string, command: string];

/** The end of a command's help: what one does with it, as it is typed. */
export function examples(...list: readonly Example[]): string {
  const lines = list.map(([purpose, command]) => `  # ${purpose}\n  ${command}`);
  return `\nExamples:\n${lines.join('\n\n')}\n`;
}
