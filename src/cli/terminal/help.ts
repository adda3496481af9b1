/** An example in a help text. */
type Example = readonly [purpose: string, command: string];

/** The end of a command's help: examples of what people use it for, each with the full command line. */
export function examples(...list: readonly Example[]): string {
  const lines = list.map(([purpose, command]) => `  # ${purpose}\n  ${command}`);
  return `\nExamples:\n${lines.join('\n\n')}\n`;
}
