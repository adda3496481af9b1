import { isGrpcServiceError } from '@temporalio/client/lib/errors.js';
import { TemporalUnavailableError, UsageError } from '../errors.ts';

/** Why a connection to a Temporal server could not be made, in words people know, and what to do. */
export function unreachable(address: string, error: unknown, usesTls: boolean): Error {
  const text = messageOf(error);
  // The only error that is about the text of the address, not about what is there.
  if (error instanceof TypeError) {
    return new UsageError(
      `TEMPORAL_ADDRESS is ${JSON.stringify(address)}, which is not host:port.`,
      checkAddress,
    );
  }
  const cause = { cause: error };
  const tls = tlsFaults.find(({ words }) => words.test(text));
  if (tls) {
    return new TemporalUnavailableError(
      `The TLS handshake with the Temporal server at ${address} failed: ${tls.reason(text)}.`,
      tls.advice,
      cause,
    );
  }
  if (refusal.test(text)) return accessRefused(address, innermost(text), cause);
  if (brokenAtFirstCall.test(text)) {
    const [what, advice] = usesTls
      ? [
          'accepts TLS connections, but broke this one off',
          `If the server wants a client certificate, ${setClientCertificate} Otherwise this may not be a Temporal server: check TEMPORAL_ADDRESS.`,
        ]
      : [
          'accepts connections, but does not speak Temporal’s protocol',
          `${checkAddress} If the server expects TLS, set TEMPORAL_TLS=true.`,
        ];
    return new TemporalUnavailableError(`${address} ${what}.`, advice, cause);
  }
  return new TemporalUnavailableError(
    `No Temporal server answers at ${address}: ${innermost(text)}`,
    `Check that the server is running, and the network. ${checkAddress} Without an address an embedded server is used.`,
    cause,
  );
}

/** The connection was made. A timeout is the same as no answer. */
const brokenAtFirstCall = /GetSystemInfo(?!.*TimeoutExpired).*source: tonic::transport::Error/s;

const checkAddress = 'Check TEMPORAL_ADDRESS.';
const setClientCertificate =
  'set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH to a certificate that it accepts.';

type TlsFault = {
  readonly words: RegExp;
  readonly reason: (text: string) => string;
  readonly advice: string;
};

const trustAdvice =
  'Install the certificates of the public authorities (Debian and Ubuntu: apt-get install ca-certificates), or set ' +
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH to the certificate of the authority that signed the server’s.';

/** By what the native client (rustls) says; the first that fits. */
const tlsFaults: readonly TlsFault[] = [
  {
    words: /NativeCertsNotFound/,
    reason: () => 'this machine has no certificates of authorities to check the server’s against',
    advice: trustAdvice,
  },
  {
    words: /InvalidCertificate\(UnknownIssuer/,
    reason: () => 'this machine does not trust the authority that signed the server’s certificate',
    advice: trustAdvice,
  },
  {
    words: /InvalidCertificate\(NotValidForName/,
    reason: () => 'the server’s certificate is for another host',
    advice: `${checkAddress} If it is right, set TEMPORAL_TLS_SERVER_NAME to the name in the certificate.`,
  },
  {
    words: /InvalidCertificate\((Expired|NotValidYet)/,
    reason: () => 'the server’s certificate has expired or is not valid yet',
    advice: 'Check the clock of this machine; if it is right, the server needs a new certificate.',
  },
  {
    words: /InvalidCertificate\(/,
    reason: (text) => `the server’s certificate is not valid (${between(text, 'InvalidCertificate(', ')')})`,
    advice: 'Ask whoever runs the server for a certificate that is valid.',
  },
  {
    words:
      /received fatal alert: (CertificateRequired|BadCertificate|UnknownCA|CertificateUnknown|AccessDenied)/,
    reason: (text) => `the server does not accept this client (${between(text, 'alert: ', '"')})`,
    // In TLS 1.3 this comes after the handshake, and the connection may break before it is read.
    advice: `If the server wants a client certificate, ${setClientCertificate}`,
  },
  {
    words: /received fatal alert/,
    reason: (text) => `the server refused it (${between(text, 'alert: ', '"')})`,
    advice: `${checkAddress} If it is right, ask whoever runs the server which TLS versions it takes.`,
  },
  {
    words: /PrivateKeyParseError|CertificateParseError/,
    reason: () => 'a certificate or key of this client is not in PEM format',
    advice: 'Check the files that the TEMPORAL_TLS_* variables or the configuration file name.',
  },
  {
    words: /InvalidContentType|InvalidMessage|tls handshake eof/,
    reason: () => 'the server there does not speak TLS',
    advice: `${checkAddress} If the server uses no TLS, set TEMPORAL_TLS=false and unset TEMPORAL_API_KEY.`,
  },
];

/** gRPC's texts for UNAUTHENTICATED and PERMISSION_DENIED, as the native client prints them. */
const refusal = /does not have valid authentication credentials|does not have permission to execute/;

function accessRefused(address: string, message: string, options: ErrorOptions): TemporalUnavailableError {
  return new TemporalUnavailableError(
    `The Temporal server at ${address} refuses access: ${message}`,
    'Check TEMPORAL_NAMESPACE, and TEMPORAL_API_KEY or the client certificate and their permissions.',
    options,
  );
}

/** Why a namespace cannot be used, and what to do. */
export function namespaceRefused(address: string, namespace: string, error: unknown): Error {
  const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
  const cause = { cause: error };
  if (code === grpcCodes.notFound) {
    return new TemporalUnavailableError(
      `The Temporal server at ${address} has no namespace ${namespace}.`,
      `Create it: temporal operator namespace create --address ${address} --namespace ${namespace}. ` +
        'Or set TEMPORAL_NAMESPACE to one that exists.',
      cause,
    );
  }
  if (code === grpcCodes.permissionDenied || code === grpcCodes.unauthenticated) {
    return accessRefused(address, `namespace ${namespace}: ${messageOf(error)}`, cause);
  }
  return new TemporalUnavailableError(
    `The Temporal server at ${address} does not say whether it has the namespace ${namespace}: ${messageOf(error)}`,
    'Check that the server is healthy, then try again.',
    cause,
  );
}

/** https://grpc.io/docs/guides/status-codes */
const grpcCodes = { notFound: 5, permissionDenied: 7, unauthenticated: 16 };

/** The native client prints nested errors in Rust's own form; the innermost text is the one people know. */
function innermost(text: string): string {
  return [...text.matchAll(/"([^"]+)"/g)].at(-1)?.[1] ?? text;
}

function between(text: string, start: string, end: string): string {
  const rest = text.slice(text.indexOf(start) + start.length);
  return rest.slice(0, rest.indexOf(end));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
