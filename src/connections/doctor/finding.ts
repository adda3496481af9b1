import { failureOf, isForeseen } from '../../failure.ts';

/** What `doctor` checks. */
export type Check =
  | 'temporal'
  | 'api_key'
  | 'scopes'
  | 'clock'
  | 'destination'
  | 'disk'
  | 'proxy'
  | 'open_files'
  | 'webhooks'
  | 'notify';

/** One thing that `doctor` checked: right, wrong with its remedy, or not checked. */
export type Finding = {
  readonly check: Check;
  readonly state: 'ok' | 'wrong' | 'skipped';
  /** What was found, or why it was not checked. */
  readonly message: string;
  /** The error's class, or the system's code. */
  readonly error?: string;
  /** What to do about it. */
  readonly advice?: string;
};

/** A finding without its name. */
export type Verdict = Omit<Finding, 'check'>;

export const ok = (message: string): Verdict => ({ state: 'ok', message });
export const wrong = (message: string, advice: string): Verdict => ({ state: 'wrong', message, advice });
export const skipped = (message: string): Verdict => ({ state: 'skipped', message });

/** Checks one thing. An error that names its own remedy is a finding; a defect is thrown. */
export async function look(check: Check, at: () => Verdict | Promise<Verdict>): Promise<Finding> {
  try {
    return { check, ...(await at()) };
  } catch (error) {
    if (!isForeseen(error)) throw error;
    return { check, state: 'wrong', ...failureOf(error) };
  }
}
