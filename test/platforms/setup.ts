import { environments, programsOf } from './helpers/environments.ts';

/** Installs what is missing, one after the other: two test files may need the same programs at the same moment. */
export async function setup(): Promise<void> {
  for (const name of environments) await programsOf(name);
}
