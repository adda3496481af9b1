import { ApiUnavailableError, UnexpectedResponseError } from '../errors.ts';
import { decodeJson, parseJson } from '../records/json.ts';
import type { Answer, Call, Client } from './client.ts';

type JsonObject = { readonly [key: string]: unknown };

/** Reads an answer that is a JSON object. Throws the errors of `Client.get` and of `parsed`, and `UnexpectedResponseError`. */
export async function readObject(
  client: Client,
  path: string,
  call: Call,
): Promise<{ readonly body: JsonObject; readonly answeredAt: number | undefined }> {
  const answer = await client.get(path, [], call);
  const { answeredAt } = answer;
  const body = parsed(path, answer, (text) => parseJson(decodeJson(text)));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new UnexpectedResponseError(`GET ${path}: 200 without a JSON object`, factsOf(answer));
  }
  return { body: body as JsonObject, answeredAt };
}

/**
 * What `parse` makes from an answer's text; it throws `SyntaxError` if the text is not JSON, which becomes an
 * `ApiUnavailableError`: a proxy's HTML page or an answer that was cut off may be right the next time.
 */
export function parsed<T>(path: string, answer: Answer, parse: (text: Buffer) => T): T {
  try {
    return parse(answer.text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { text } = answer;
    const what = /^\s*</.test(text.toString('utf8', 0, 100))
      ? 'HTML'
      : `${text.byteLength} bytes that are not JSON`;
    throw new ApiUnavailableError(`GET ${path}: 200 with ${what}`, factsOf(answer));
  }
}

function factsOf({ answeredAt }: Answer) {
  return { status: 200, ...(answeredAt !== undefined && { answeredAt }) };
}
