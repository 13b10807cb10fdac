import { useSyncExternalStore } from 'react';

const DAY_MS = 86_400_000;
const LONG = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const SHORT = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

/** The visitor's calendar day as `YYYY-MM-DD`. */
export function localDay(now: Date): string {
  const twoDigits = (n: number) => String(n).padStart(2, '0');
  return `${now.getFullYear()}-${twoDigits(now.getMonth() + 1)}-${twoDigits(now.getDate())}`;
}

/**
 * A due date in words.
 * @param today the visitor's day, or null while it is not known (on the server)
 */
export function dayInWords(day: string, today: string | null): string {
  const date = new Date(`${day}T00:00:00Z`);
  if (today === null) return LONG.format(date);
  const distance = Math.round((date.getTime() - Date.parse(`${today}T00:00:00Z`)) / DAY_MS);
  if (distance === 0) return 'Today';
  if (distance === 1) return 'Tomorrow';
  if (distance === -1) return 'Yesterday';
  return Math.abs(distance) < 180 ? SHORT.format(date) : LONG.format(date);
}

function subscribeToDays(listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const arm = () => {
    const now = new Date();
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
    timer = setTimeout(tick, midnight.getTime() - now.getTime() + 50);
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

/** The visitor's day, kept right past midnight; null on the server, which does not know the visitor's time zone. */
export function useToday(): string | null {
  return useSyncExternalStore<string | null>(
    subscribeToDays,
    () => localDay(new Date()),
    () => null,
  );
}
