/** An error answer, in the API's own shape. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly detail: {
    readonly metadata?: Record<string, string>;
    readonly source?: { readonly field: string };
  };
  constructor(status: number, type: string, code: string, message: string, detail: Problem['detail'] = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
    this.detail = detail;
  }
  body(requestId: string, rateLimit?: RateLimitFacts): string {
    return JSON.stringify({
      type: this.type,
      status: this.status,
      request_id: requestId,
      ...(rateLimit === undefined ? {} : { rate_limit: rateLimit }),
      errors: [{ code: this.code, message: this.message, ...this.detail }],
    });
  }
}

export type RateLimitFacts = {
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  readonly retry_after: string;
};

/** 422: a parameter the endpoint does not take, or not like this. */
export function invalid(field: string, message: string): Problem {
  return new Problem(422, 'validation_error', 'is_invalid', message, { source: { field } });
}

/** 404, for a path, a parent or a cursor that is not there. */
export function notFound(message: string): Problem {
  return new Problem(404, 'not_found', 'resource_not_found', message);
}

/** An error of a status a test asks for. */
export function problemOf(status: number): Problem {
  const types: Record<number, string> = {
    401: 'authentication_error',
    403: 'resource_forbidden',
    404: 'not_found',
    408: 'request_timeout',
    422: 'validation_error',
    429: 'too_many_requests',
  };
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return new Problem(status, type, type, `The sandbox was told to answer ${status}`);
}
