import { type S3Client, S3ServiceException } from '@aws-sdk/client-s3';

/**
 * The parts of the SDK's errors that are read. The message is not one of them: a store, or something in front of it,
 * may put anything into it.
 */
export type SdkError = Error & {
  readonly code?: string;
  readonly Code?: string;
  readonly Region?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: { readonly [name: string]: string } };
};

/** Codes of the answers of stores, by what they mean. */
export const expired =
  /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken|RequestExpired)$/;
export const unknownKey = /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSecurity|NotSignedUp)$/;
export const elsewhere =
  /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|301|307)$/;
// `ExistingObjectIsDirectory` is versitygw's answer if a delete removes the folder that it is about to write to. None of
// our objects has the name of a folder, so here it never means what it says.
export const passing =
  /^(ExistingObjectIsDirectory|SlowDown|ServiceUnavailable|InternalError|RequestTimeout|TimeoutError|OperationAborted|ConditionalRequestConflict|Throttling|ThrottlingException|TooManyRequests|TooManyRequestsException|RequestLimitExceeded|BadDigest|IncompleteBody)$/;

/** Errors that came out of a request to the store; those of a request for credentials are not among them. */
const answers = new WeakSet<Error>();

/** Lets `s3Error` tell the errors of this client's requests from those of the requests for its credentials. */
export function markAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (request) => {
      try {
        return await next(request);
      } catch (error) {
        if (error instanceof Error) answers.add(error);
        throw error;
      }
    },
    // The innermost step, when the request already carries its credentials.
    { step: 'deserialize', priority: 'high', name: 'markAnswers' },
  );
}

/** The error for one object that the store did not delete among many. */
export function refusal(code: string): Error {
  const denied = code === 'AccessDenied';
  const error = new S3ServiceException({
    name: code,
    $fault: 'client',
    $metadata: { httpStatusCode: denied ? 403 : 200 },
    message: code,
  });
  answers.add(error);
  return Object.assign(error, { Code: code });
}

/** Whether an error came out of a request to the store, and not out of one for its credentials. */
export function isAnswer(error: Error): boolean {
  return answers.has(error);
}

/** The HTTP status of the answer to a failed request, if there was an answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as SdkError | null)?.$metadata?.httpStatusCode;
}

/** Whether a store says that there is no such object. A page that something else answers with 404 does not say so. */
export function isMissing(error: unknown): boolean {
  const { name, Code } = error as SdkError;
  return statusOf(error) === 404 && Code !== undefined && name !== 'NoSuchBucket';
}

/** Whether a store refuses this kind of request, or one of its parameters, so that another way may work. */
export function isUnsupported(error: unknown): boolean {
  const status = statusOf(error);
  const { name } = error as SdkError;
  const isKnown = [expired, unknownKey, elsewhere, passing].some((names) => names.test(name));
  return !isKnown && (status === 400 || status === 405 || status === 411 || status === 501);
}
