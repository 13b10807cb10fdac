/** Something to tell the person, with one thing to do about it at most. */
export interface Notice {
  id: string;
  kind: 'info' | 'problem';
  text: string;
  action?: { label: string; run: () => void };
  /** With a change that waits for the connection: do it again. The notice ends with the outage. */
  whenReachable?: () => void;
}

/** More would cover the list. */
export const SHOWN_AT_ONCE = 3;

/** With one more notice; the oldest goes when there are too many, unless a change waits behind it. */
export function withNotice(notices: Notice[], notice: Omit<Notice, 'id'>): Notice[] {
  const all = [...notices, { id: crypto.randomUUID(), ...notice }];
  return all.filter(({ whenReachable }, place) => whenReachable || place >= all.length - SHOWN_AT_ONCE);
}
