/** Keys this process has met. Only ever added to: an old key in a late message is no less secret. */
const secrets = new Set<string>();

/** From now on no log line of this process shows the value. */
export function keepSecret(value: string): void {
  secrets.add(value);
}

/** The text without the keys this process has met, wherever it came from. */
export function hideSecrets(text: string): string {
  let safe = text;
  for (const secret of secrets) safe = safe.replaceAll(secret, '[api key]');
  return safe;
}
