/** What the embedded server takes from the process that uses it. */
export type CliOptions = {
  readonly env: NodeJS.ProcessEnv;
  /** Takes one line for the person at the terminal, before something slow begins. */
  readonly report: (line: string) => void;
};
