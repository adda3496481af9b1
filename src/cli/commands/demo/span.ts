const yearsOfData = 3;

/** The data reaches the present, because older data would look like a sync that has stopped. */
export function spanUntilToday(): { readonly since: string; readonly until: string } {
  const until = new Date();
  const since = new Date(until);
  since.setUTCFullYear(until.getUTCFullYear() - yearsOfData);
  return { since: since.toISOString(), until: until.toISOString() };
}
