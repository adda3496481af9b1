import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { shownDestination } from '../warehouse/store/destination.ts';

/** One error that lists all problems of a settings file. */
export function settingsError(file: string, problems: readonly string[]): UsageError {
  const list =
    problems.length === 1 ? ` ${problems[0]}` : problems.map((problem) => `\n  - ${problem}`).join('');
  return new UsageError(`${file}:${list}`, 'Correct the file and try again; nothing was changed.');
}

/** What the sentences about a file need to know about it. */
export type Checked = {
  /** Its JSON, as the schema checked it. */
  readonly value: unknown;
  /** The path of a setting as the file has it, since an older version may have another name for it. */
  readonly pathInFile: (path: string) => string;
  /** The settings that exist at a path, by the names that the file should use. */
  readonly knownAt: (path: readonly string[]) => readonly string[];
};

/** Sentences for what the schema found wrong: the path, the value, and what is allowed. */
export function problemsOf(issue: z.core.$ZodIssue, { value, pathInFile, knownAt }: Checked): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const place = path.length === 0 ? '' : `${pathInFile(path.join('.'))}.`;
    return issue.keys.map((key) => {
      const near = nearest(key, knownAt(path));
      const question = near === undefined ? '' : ` Did you mean ${near}?`;
      // A name may hold anything, control characters too.
      const name = /^[\w$-]+$/.test(key) ? key : JSON.stringify(key);
      return `${place}${name} is not a known ${place === 'tables.' ? 'table' : 'setting'}.${question}`;
    });
  }
  const name = path.length === 0 ? 'The file' : pathInFile(path.join('.'));
  const found = issue.path.reduce<unknown>(
    (value, key) => (value as { readonly [key: PropertyKey]: unknown } | null | undefined)?.[key],
    value,
  );
  return [`${name} ${found === undefined ? 'is missing' : `is ${shown(name, found)}`}; ${issue.message}.`];
}

/** Settings that name where a secret is; a user may have put the secret itself there. */
const ofSecrets = /^(?:apiKey|hashKey|webhooks|notify)(?:\.|$)/;

/** The value as the file has it, unless it may be a secret. */
function shown(name: string, value: unknown): string {
  if (ofSecrets.test(name) || name === 'The file') return 'not valid';
  const text = JSON.stringify(
    ['destination', 'baseUrl'].includes(name) && typeof value === 'string' ? shownDestination(value) : value,
  );
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
