/** An example in a help text. */
type Example = readonly [purpose: string, command: string];

/** The end of a command's help: what people use it for, with the command as it is typed. */
export function examples(...list: readonly Example[]): string {
  const lines = list.map(([purpose, command]) => `  # ${purpose}\n  ${command}`);
  return `\nExamples:\n${lines.join('\n\n')}\n`;
}
