import { z } from 'zod';
import { frequencies } from './settings.ts';

const secondsPattern = /^[1-9][0-9]{0,4}s$/;

/** How often a table is synced. Seconds are only for an API on this machine, such as a sandbox. */
export function frequencySchema(seconds: boolean) {
  const list = z.enum(frequencies);
  const error = `use ${frequenciesInWords(seconds)}`;
  if (!seconds) return z.enum(frequencies, { error });
  const tried = z
    .string()
    .regex(secondsPattern, { abort: true })
    .describe('Seconds, only if baseUrl is on this machine.') as unknown as z.ZodType<`${number}s`>;
  return z.union([list, tried], { error });
}

/** What `frequencySchema` takes, for errors. */
export function frequenciesInWords(seconds: boolean): string {
  return seconds
    ? `${frequencies.join(', ')} or seconds such as 10s`
    : `${frequencies.join(', ')} (seconds such as 10s only if baseUrl is on this machine)`;
}
