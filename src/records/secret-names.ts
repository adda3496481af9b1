/** Words that name a secret, or something that holds some, wherever they are in a name. */
const secretWords = /(?:secret|token|password|passwd|passphrase|passcode|credential)s?(?:_|$)/;
/** Keys that give access; other keys, such as `sort_key`, only sort or identify. */
const secretKeys =
  /(?:^|_)(?:api|app|access|account|auth|encryption|hmac|master|private|secret|service|shared|signing|ssh)_?keys?$/;
const secretHeaders = /(?:^|_)(?:authorization|bearer|cookie)s?$/;
/** Anyone who knows such an address may send to it. */
const webhookAddress = /webhook(?:_.*)?_(?:url|uri|endpoint|address)s?$/;
/** Facts about a secret that do not give it away: `token_last_issued_at`, `secret_id`. */
const aboutSecrets =
  /_(?:at|by|count|description|enabled|expiry|ids?|kind|label|length|names?|paths?|policy|prefix|required|scopes?|state|status|title|ttl|type|versions?)$/;

/**
 * Whether a field's name says that its value is a secret, and if so which values it may have: `any`, or only `text`,
 * because the API calls an actor `api_key`, which is an object with a name.
 */
export function secrecyOf(field: string): 'any' | 'text' | undefined {
  const name = field
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_');
  if (aboutSecrets.test(name)) return undefined;
  if (secretWords.test(name)) return 'any';
  return secretKeys.test(name) || secretHeaders.test(name) || webhookAddress.test(name) ? 'text' : undefined;
}

/** Whether a field's name makes it a secret. Numbers and booleans never are: `total_tokens`, `has_password`. */
export function looksSecret(field: string, value: unknown): boolean {
  const isText = typeof value === 'string' && value !== '';
  if (!isText && (typeof value !== 'object' || value === null)) return false;
  const secrecy = secrecyOf(field);
  return secrecy === 'any' || (secrecy === 'text' && (isText || isTexts(value)));
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.some((item) => typeof item === 'string');
}
