/** What the visitor's clock shows and how their language writes it, as far as the server knows. */
export interface VisitorClock {
  /** `YYYY-MM-DDTHH:MM` on the visitor's clock, or null while their time zone is not known. */
  now: string | null;
  /** BCP 47 tag of the language in which dates are written. */
  locale: string;
}

/** Cookie that holds the visitor's IANA time zone, so that the server knows their day. */
export const TIME_ZONE_COOKIE = 'todo_time_zone';

const FALLBACK_LOCALE = 'en-GB';

/** What a clock in a time zone shows as `YYYY-MM-DDTHH:MM`; null when there is no such time zone. */
export function clockIn(timeZone: string, now: Date): string | null {
  try {
    // Swedish writes dates as ISO 8601 does.
    const swedish = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
    return swedish.format(now).replace(' ', 'T');
  } catch {
    return null;
  }
}

/** The first language of an `Accept-Language` header that this machine can write dates in. */
export function localeFrom(acceptLanguage: string | null): string {
  const first = (acceptLanguage ?? '').split(/[,;]/, 1)[0]?.trim() ?? '';
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(first)[0] ?? FALLBACK_LOCALE;
  } catch {
    return FALLBACK_LOCALE;
  }
}
