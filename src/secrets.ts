/** API keys this process has used. None is ever removed: an old key in a late message is just as secret. */
const secrets = new Set<string>();

/** From now on `hideSecrets` cuts this value out of every text. */
export function keepSecret(value: string): void {
  secrets.add(value);
}

/** The text without the API keys this process has used, wherever the text came from. */
export function hideSecrets(text: string): string {
  let safe = text;
  for (const secret of secrets) safe = safe.replaceAll(secret, '[api key]');
  return safe;
}
