/** What an error response may say besides its message. */
type Detail = {
  /** The rate limit of the key, in a 429. */
  readonly rateLimit?: object;
  readonly metadata?: { readonly [name: string]: string };
  readonly source?: { readonly field: string };
};

/** An error response, in the API's own shape. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly #detail: Detail;
  constructor(status: number, type: string, code: string, message: string, detail: Detail = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
    this.#detail = detail;
  }
  body(requestId: string): string {
    const { rateLimit, ...detail } = this.#detail;
    return JSON.stringify({
      type: this.type,
      status: this.status,
      request_id: requestId,
      ...(rateLimit && { rate_limit: rateLimit }),
      errors: [{ code: this.code, message: this.message, ...detail }],
    });
  }
}

/** 422: the endpoint does not have this parameter, or does not accept this value. */
export function invalid(field: string, message: string): Problem {
  return new Problem(422, 'validation_error', 'is_invalid', message, { source: { field } });
}

/** 404: there is no such path, parent or cursor. */
export function notFound(message: string): Problem {
  return new Problem(404, 'not_found', 'resource_not_found', message);
}

/** 429: the key's rate limit is used up until `retryAt`, in milliseconds since the epoch. */
export function tooManyRequests(limit: number, retryAt: number): Problem {
  return new Problem(
    429,
    'too_many_requests',
    'too_many_requests',
    'Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.',
    {
      rateLimit: {
        name: 'api_key_name',
        limit,
        remaining: 0,
        retry_after: new Date(retryAt).toISOString(),
      },
    },
  );
}

/** An error with the status that a test asked for. */
export function problemOf(status: number): Problem {
  const types: Record<number, string> = {
    401: 'authentication_error',
    402: 'payment_required',
    403: 'resource_forbidden',
    404: 'not_found',
    408: 'request_timeout',
    422: 'validation_error',
    429: 'too_many_requests',
  };
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return new Problem(status, type, type, `The sandbox was told to answer ${status}`);
}
