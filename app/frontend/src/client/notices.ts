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
const SHOWN_AT_ONCE = 3;

/** With one more notice; the oldest goes when there are too many. */
export function withNotice(notices: Notice[], notice: Omit<Notice, 'id'>): Notice[] {
  return [...notices.slice(1 - SHOWN_AT_ONCE), { id: crypto.randomUUID(), ...notice }];
}
