'use client';

import { useEffect, useState } from 'react';
import type { Pane } from '@/shared/address';

/** Whether the number has grown while nobody looked. */
export function useUnseen(looking: boolean, number: number): boolean {
  const [seen, setSeen] = useState(number);
  useEffect(() => {
    if (looking) setSeen(number);
  }, [looking, number]);
  return !looking && number > seen;
}

/** On a narrow window: which of the two panes to show. */
export function PaneSwitch({
  pane,
  onPane,
  unseenAnswer,
}: {
  pane: Pane;
  onPane: (pane: Pane) => void;
  unseenAnswer: boolean;
}) {
  return (
    <nav className="pane-switch" aria-label="Parts of the page">
      <button type="button" aria-current={pane === 'todos'} onClick={() => onPane('todos')}>
        Todos
      </button>
      <button type="button" aria-current={pane === 'chat'} onClick={() => onPane('chat')}>
        Assistant
        {unseenAnswer && <span className="visually-hidden"> (new answer)</span>}
        {unseenAnswer && <span className="dot" />}
      </button>
    </nav>
  );
}
