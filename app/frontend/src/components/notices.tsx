'use client';

import { useEffect } from 'react';
import { type Notice, SHOWN_AT_ONCE } from '@/client/notices';
import { CrossIcon } from './icons';
import { Words } from './words';

const INFO_MS = 8_000;

/** Messages over the page. Good news goes by itself; a problem stays until it is read. */
export function Notices({ notices, onDismiss }: { notices: Notice[]; onDismiss: (id: string) => void }) {
  const hidden = notices.length - SHOWN_AT_ONCE;
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

function NoticeLine({ notice, onDismiss }: { notice: Notice; onDismiss: (id: string) => void }) {
  const { id, kind, text, action } = notice;
  useEffect(() => {
    if (kind !== 'info') return;
    const timer = setTimeout(() => onDismiss(id), INFO_MS);
    return () => clearTimeout(timer);
  }, [id, kind, onDismiss]);
  return (
    <div className="notice" data-kind={kind}>
      <p dir="auto">
        <Words text={text} ours />
      </p>
      {action && (
        <button
          type="button"
          className="button button-quiet"
          onClick={() => {
            onDismiss(id);
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => onDismiss(id)}>
        <CrossIcon />
      </button>
    </div>
  );
}
