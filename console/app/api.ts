import type { Answer, Body, EndpointName } from '../../src/console/contract.ts';
import type { Problem } from '../../src/console/contract/common.ts';

/** An answer other than 2xx, with the server's own message. */
export class ApiProblem extends Error implements Problem {
  readonly error: string;
  readonly advice?: string;
  constructor({ error, message, advice }: Problem) {
    super(message);
    this.error = error;
    if (advice !== undefined) this.advice = advice;
  }
}

/** Any error in the form that the server uses. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiProblem) return error;
  return { error: 'PageError', message: error instanceof Error ? error.message : String(error) };
}

/** Paths are relative to the page, which a proxy may serve below another path. */
export function urlOf(path: string): string {
  return `.${path}`;
}

/** Reads an endpoint. Throws `ApiProblem`. */
export function read<Name extends EndpointName>(path: string, signal?: AbortSignal): Promise<Answer<Name>> {
  return answerOf(path, signal ? { signal } : {});
}

/** Sends to an endpoint. Throws `ApiProblem`. */
export function send<Name extends EndpointName>(
  path: string,
  body: Body<Name>,
  signal?: AbortSignal,
): Promise<Answer<Name>> {
  return answerOf(path, { ...posted(body), ...(signal && { signal }) });
}

/** Tells the server to forget something, without waiting for the answer. */
export function sendDelete(path: string): void {
  // A failure is harmless: the server forgets drafts by itself after a while.
  fetch(urlOf(path), { method: 'DELETE', keepalive: true }).catch(() => undefined);
}

/** Downloads an answer as a file. Throws `ApiProblem`. */
export async function download(path: string, body: unknown, name: string): Promise<void> {
  const answer = await fetched(path, posted(body));
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

function posted(body: unknown): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  };
}

async function answerOf<T>(path: string, init: RequestInit): Promise<T> {
  return (await (await fetched(path, init)).json()) as T;
}

async function fetched(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(urlOf(path), init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiProblem(unreachable);
  }
  if (answer.ok) return answer;
  throw new ApiProblem(await problemIn(answer));
}

export const unreachable: Problem = {
  error: 'ConsoleUnreachable',
  message: 'The console does not answer.',
  advice: 'Start it again, and open the address that it prints.',
};

async function problemIn(answer: Response): Promise<Problem> {
  const isJson = answer.headers.get('content-type')?.includes('json');
  if (isJson) return (await answer.json()) as Problem;
  return { error: 'ConsoleError', message: `The console answered with ${answer.status}.` };
}
