import { useSyncExternalStore } from 'react';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Beyond this many days a date is written with its year. */
const NEAR_DAYS = 180;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' });
  formats.set(key, known);
  return known;
}

/** The visitor's clock as `YYYY-MM-DDTHH:MM`. */
export function localMinute(now: Date): string {
  const twoDigits = (n: number) => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}-${twoDigits(now.getMonth() + 1)}-${twoDigits(now.getDate())}`;
  return `${day}T${twoDigits(now.getHours())}:${twoDigits(now.getMinutes())}`;
}

/** The visitor's calendar day as `YYYY-MM-DD`. */
export function localDay(now: Date): string {
  return localMinute(now).slice(0, 10);
}

/**
 * A due date in words.
 * @param today the visitor's day, or null while it is not known
 */
export function dayInWords(day: string, today: string | null, locale: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  const distance = today && Math.round((date.getTime() - Date.parse(`${today}T00:00:00Z`)) / DAY_MS);
  if (distance === 0) return 'Today';
  if (distance === 1) return 'Tomorrow';
  if (distance === -1) return 'Yesterday';
  const near = distance !== null && Math.abs(Number(distance)) < NEAR_DAYS;
  const part = near ? ({ weekday: 'short' } as const) : ({ year: 'numeric' } as const);
  return format(locale, { day: 'numeric', month: 'short', ...part }).format(date);
}

/** A time of day, `HH:MM`, as the visitor's language writes it. */
export function timeInWords(time: string, locale: string): string {
  return format(locale, { timeStyle: 'short' }).format(new Date(`1970-01-01T${time}:00Z`));
}

/** A due date and its time in words; today's and tomorrow's words are capitalised as they stand alone. */
export function dueInWords(
  due: { due_date: string; due_time: string | null },
  today: string | null,
  locale: string,
): string {
  const day = dayInWords(due.due_date, today, locale);
  return due.due_time ? `${day}, ${timeInWords(due.due_time, locale)}` : day;
}

/** Whether something that is due has been missed. @param now `YYYY-MM-DDTHH:MM`, or null while it is not known */
export function isOverdue(
  due: { due_date: string | null; due_time: string | null },
  now: string | null,
): boolean {
  if (due.due_date === null || now === null) return false;
  return due.due_time ? `${due.due_date}T${due.due_time}` < now : due.due_date < now.slice(0, 10);
}

function subscribeToMinutes(listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const arm = () => {
    timer = setTimeout(tick, MINUTE_MS - (Date.now() % MINUTE_MS) + 50);
  };
  const tick = () => {
    clearTimeout(timer);
    listener();
    arm();
  };
  arm();
  // A machine that slept, or whose clock was set, is seen when its window is looked at.
  document.addEventListener('visibilitychange', tick);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', tick);
  };
}

/** The visitor's clock, `YYYY-MM-DDTHH:MM`. @param first what the server knew of it */
export function useNow(first: string | null): string | null {
  return useSyncExternalStore<string | null>(
    subscribeToMinutes,
    () => localMinute(new Date()),
    () => first,
  );
}

const never = () => () => {};

/** The visitor's language for dates. @param first what the server knew of it */
export function useLocale(first: string): string {
  return useSyncExternalStore(
    never,
    () => navigator.language || first,
    () => first,
  );
}

/** The visitor's IANA time zone, or null when the browser does not know it. */
export function timeZone(): string | null {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || null;
}

/** How a language orders a weekday, a day and a month, as the pattern of the backend's that is nearest. */
export function dateFormat(locale: string): 'EEE d MMM' | 'EEE, d MMM' | 'EEE, MMM d' {
  const options = { weekday: 'short', day: 'numeric', month: 'short' } as const;
  const parts = format(locale, options).formatToParts(new Date(0));
  const place = (wanted: string) => parts.findIndex(({ type }) => type === wanted);
  if (place('month') < place('day')) return 'EEE, MMM d';
  const behindWeekday = parts[place('weekday') + 1]?.value ?? '';
  return /[,،]/.test(behindWeekday) ? 'EEE, d MMM' : 'EEE d MMM';
}

/** Whether the clocks of a language count to 12 or to 24, in the backend's words. */
export function hourCycle(locale: string): 'h12' | 'h23' {
  const { hourCycle } = new Intl.DateTimeFormat(locale, { timeStyle: 'short' }).resolvedOptions();
  return hourCycle === 'h12' || hourCycle === 'h11' ? 'h12' : 'h23';
}
