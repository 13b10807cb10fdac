import { useCallback, useEffect, useState } from 'react';

/** What this tab keeps of unfinished text, so that a reload or a row that goes away loses none of it. */
function storage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** Unfinished text of an earlier look at the page, or null. What cannot be read counts as none. */
export function keptDraft<T>(key: string): T | null {
  try {
    return JSON.parse(storage()?.getItem(key) ?? 'null') as T | null;
  } catch {
    return null;
  }
}

/** Keep unfinished text; null forgets it. */
export function keepDraft(key: string, draft: unknown): void {
  try {
    if (draft === null) storage()?.removeItem(key);
    else storage()?.setItem(key, JSON.stringify(draft));
  } catch {
    // A full or forbidden storage only means that nothing is kept.
  }
}

/** A text that survives a reload. It is empty at first, since the server does not know it. */
export function useDraft(key: string): [string, (next: string | ((current: string) => string)) => void] {
  const [text, setText] = useState('');
  useEffect(() => {
    const kept = keptDraft<string>(key);
    if (kept) setText((current) => current || kept);
  }, [key]);
  const change = useCallback(
    (next: string | ((current: string) => string)) =>
      setText((current) => {
        const changed = typeof next === 'string' ? next : next(current);
        keepDraft(key, changed || null);
        return changed;
      }),
    [key],
  );
  return [text, change];
}
