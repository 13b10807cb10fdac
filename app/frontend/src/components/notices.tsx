'use client';

import { useEffect, useRef, useState } from 'react';
import { type Notice, SHOWN_AT_ONCE } from '@/client/notices';
import { useUndoKey } from '@/client/use-undo-key';
import { CrossIcon } from './icons';
import { Words } from './words';

const INFO_MS = 8_000;

/** Messages over the page. Good news goes by itself, though not from under the pointer or the focus; a problem stays until it is read. */
export function Notices({ notices, onDismiss }: { notices: Notice[]; onDismiss: (id: string) => void }) {
  const hidden = notices.length - SHOWN_AT_ONCE;
  const undoable = notices.findLast(({ kind, action }) => kind === 'info' && action);
  useUndoKey(undoable && (() => act(undoable, onDismiss)));
  return (
    <div className="notices" aria-live="polite">
      {hidden > 0 && (
        <p className="notice" data-kind="problem">
          {hidden} more {hidden === 1 ? 'change waits' : 'changes wait'} for the connection.
        </p>
      )}
      {notices.slice(-SHOWN_AT_ONCE).map((notice) => (
        <NoticeLine key={notice.id} notice={notice} onDismiss={onDismiss} />
      ))}
    </div>
  );
}

function act({ id, action }: Notice, onDismiss: (id: string) => void): void {
  onDismiss(id);
  action?.run();
}

function NoticeLine({ notice, onDismiss }: { notice: Notice; onDismiss: (id: string) => void }) {
  const { id, kind, text, action } = notice;
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  /** What had the focus before the notice, and gets it back. */
  const before = useRef<Element | null>(null);
  const staying = kind !== 'info' || pointed || focused;
  useEffect(() => {
    if (staying) return;
    const timer = setTimeout(() => onDismiss(id), INFO_MS);
    return () => clearTimeout(timer);
  }, [id, staying, onDismiss]);

  function giveFocusBack() {
    const target = before.current?.isConnected ? before.current : document.getElementById('todos');
    (target as HTMLElement | null)?.focus();
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only stays while somebody is at its buttons
    <div
      className="notice"
      data-kind={kind}
      onPointerEnter={() => setPointed(true)}
      onPointerLeave={() => setPointed(false)}
      onFocus={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) before.current = relatedTarget;
        setFocused(true);
      }}
      onBlur={() => setFocused(false)}
    >
      <p dir="auto">
        <Words text={text} ours />
      </p>
      {action && (
        <button
          type="button"
          className="button button-quiet"
          aria-keyshortcuts={kind === 'info' ? 'Control+Z' : undefined}
          onClick={() => {
            giveFocusBack();
            act(notice, onDismiss);
          }}
        >
          {action.label}
        </button>
      )}
      <button
        type="button"
        className="icon-button"
        aria-label="Dismiss"
        onClick={() => {
          giveFocusBack();
          onDismiss(id);
        }}
      >
        <CrossIcon />
      </button>
    </div>
  );
}
