import { SourceError } from './errors.ts';

/** A failure as reports, `status`, logs and JSON output show it. */
export type Failure = {
  /** The error's class, or the system's code such as `ENOSPC`. */
  readonly error: string;
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
};

/** The failure of one table of several. */
export type TableFailure = { readonly table: string } & Failure;

/**
 * What failed, why, and what to do. Any error that is neither this project's nor the operating system's is a defect,
 * and says so.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof SourceError) {
    const { name, message, advice } = error;
    return { error: name, message, advice };
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = systemCodeOf(error);
  if (code !== undefined) return { error: code, message, advice: checkThePath };
  return { error: 'UnexpectedError', message, advice: reportIt };
}

/** Whether it is an error of this project or of the operating system; anything else is a defect. */
export function isForeseen(error: unknown): boolean {
  return error instanceof SourceError || systemCodeOf(error) !== undefined;
}

/** The code of an error that the operating system raised, such as `ENOSPC`; `undefined` for any other error. */
export function systemCodeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Problems that a person has to fix, unlike a full disk or too many open files, which may pass. */
const lastingCodes = ['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EROFS'];

/** Whether it is an error that the operating system would raise again: no such folder, or not allowed to write there. */
export function isLastingSystemError(error: unknown): boolean {
  return lastingCodes.includes(systemCodeOf(error) ?? '');
}

const checkThePath =
  'Check the path: that it exists, that this user may write to it, and that its disk has free space.';
const reportIt = 'This is a defect of incident-io-source: report it with this message.';
